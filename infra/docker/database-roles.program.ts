import { readEnvironment } from '@workledger/shared/config/service-environment.ts';
import { fail } from '@workledger/shared/service/program.ts';
import { databaseServices, makeDatabaseRoles, passwordVariable, roleOf, rolesVariables } from './database-roles.ts';

const HELP = `Makes a role of PostgreSQL for each service, brings all tables up to date, and gives each role what it needs and no more.
Run it before the services of a new version start; what is as it should be stays.

Usage: node infra/docker/database-roles.program.ts

Environment: DATABASE_URL of the database's owner (DATABASE_PASSWORD_FILE, DATABASE_TLS), and a password a role:
${databaseServices.map((service) => `  ${passwordVariable(service).padEnd(40)}${roleOf(service)}`).join('\n')}
`;

async function main(): Promise<void> {
  if (process.argv.length > 2) {
    process.stdout.write(HELP);
    return;
  }
  const environment = readEnvironment(rolesVariables);
  const given: Readonly<Record<string, unknown>> = environment;
  const passwords = Object.fromEntries(
    databaseServices.map((service) => [service, String(given[passwordVariable(service)])]),
  ) as Parameters<typeof makeDatabaseRoles>[0]['passwords'];
  await makeDatabaseRoles({ ownerUrl: environment.DATABASE_URL, passwords });
  process.stdout.write(`roles are ready: ${databaseServices.map((service) => roleOf(service)).join(', ')}\n`);
}

main().catch(fail);

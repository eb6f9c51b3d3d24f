import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { describe, expect, test } from 'vitest';
import { maxAgeOf, providers, repositorySecretsOf, secretsOf } from './providers.ts';

const provider = (name: string) => providers.find((each) => each.name === name)!;
const secrets = [{ env: 'PATH' }];
const repository = { name: 'shop', url: '/srv/shop.git', test: ['npm', 'test'] };

describe('what is configured of a provider', () => {
  test('are its secrets, under its name', async () => {
    const configuration = configurationSchema.parse({ webhooks: { linear: { secrets } } });
    expect(await secretsOf(provider('linear'), configuration, '/')).toEqual([process.env['PATH']]);
    expect(await secretsOf(provider('slack'), configuration, '/')).toEqual([]);
    const missing = configurationSchema.parse({ webhooks: { linear: { secrets: [{ env: 'NO_SUCH_VARIABLE' }] } } });
    await expect(secretsOf(provider('linear'), missing, '/')).rejects.toThrow('webhooks.linear.secrets[0]');
  });

  test('is how old a delivery may be, where it has a time', () => {
    const configuration = configurationSchema.parse({ webhooks: { linear: { secrets }, slack: { secrets } } });
    expect(maxAgeOf(provider('linear'), configuration)).toBe(28_800);
    expect(maxAgeOf(provider('slack'), configuration)).toBeUndefined();
  });

  test('are the secrets of a repository, by what their provider calls it', async () => {
    const places = { github: 'acme/shop', linear: 'ENG/Search' };
    const configuration = configurationSchema.parse({
      repositories: [{ ...repository, ...places, webhook: { provider: 'linear', secrets } }],
    });
    expect([...(await repositorySecretsOf(provider('linear'), configuration, '/')).keys()]).toEqual(['eng/search']);
    expect((await repositorySecretsOf(provider('github'), configuration, '/')).size).toBe(0);
  });
});

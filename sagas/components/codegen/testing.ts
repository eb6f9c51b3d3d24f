import { codegenSchema } from '@workledger/shared/config/generation.ts';
import { startFakeCodegen } from '@workledger/infra/testing/codegen/fake-codegen.ts';
import { openCodegen } from './codegen.ts';

const TOKEN = 'WORKLEDGER_TEST_CODEGEN';

/** A Codegen that a test scripts, and our client of it. It has no rests between what it asks. */
export async function startTestCodegen() {
  const fake = await startFakeCodegen();
  process.env[TOKEN] = fake.token;
  const configured = { url: fake.url, organization: fake.organization, token: { env: TOKEN }, runUsd: 0.75 };
  const codegen = await openCodegen(
    { codegen: codegenSchema.parse(configured), outbound: { allowHosts: [], privateHosts: [fake.host] } },
    '/',
    {
      ...{ everyMilliseconds: 0, changeEveryMilliseconds: 0, lookMilliseconds: 5 },
      backOffMs: { first: 1, most: 2 },
    },
  );
  if (codegen === null) throw new Error('it is not configured');
  return { fake, codegen, configured, environment: { [TOKEN]: fake.token } };
}

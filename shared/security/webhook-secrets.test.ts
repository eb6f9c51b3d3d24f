import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { newWebhookSecret, webhookSignature } from './webhook-secrets.ts';

test('a signature is that of the specification', () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const signed = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1_614_265_330, body: '{"test": 2432232314}' };
  expect(webhookSignature([secret], signed)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('what is signed is verified by others, by each of its secrets and by no other', () => {
  const [old, current, other] = [newWebhookSecret(), newWebhookSecret(), newWebhookSecret()];
  const signed = { id: 'x', timestamp: Math.floor(Date.now() / 1_000), body: '{"says":"ünï"}' };
  const headers = {
    'webhook-id': signed.id,
    'webhook-timestamp': String(signed.timestamp),
    'webhook-signature': webhookSignature([current, old], signed),
  };
  for (const secret of [old, current])
    expect(new Webhook(secret).verify(signed.body, headers)).toEqual({ says: 'ünï' });
  expect(() => new Webhook(other).verify(signed.body, headers)).toThrow('No matching signature');
  expect(() => new Webhook(current).verify(signed.body, { ...headers, 'webhook-id': 'y' })).toThrow();
});

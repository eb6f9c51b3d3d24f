import { createHmac } from 'node:crypto';

const hmac = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('hex');

/** What Slack sends, signed as it does. @param body JSON of an event, or the payload of a press */
export async function sendSlack(
  url: string,
  secret: string,
  body: object,
  kind: 'event' | 'interactive' = 'event',
): Promise<{ readonly status: number; readonly milliseconds: number }> {
  const text = JSON.stringify(body);
  const isPress = kind === 'interactive';
  const sent = isPress ? new URLSearchParams({ payload: text }).toString() : text;
  const now = Math.floor(Date.now() / 1_000);
  const startedAt = performance.now();
  const { status } = await fetch(`${url}/api/v1/webhooks/slack`, {
    method: 'POST',
    headers: {
      'Content-Type': isPress ? 'application/x-www-form-urlencoded' : 'application/json',
      'X-Slack-Request-Timestamp': String(now),
      'X-Slack-Signature': `v0=${hmac(secret, `v0:${now}:${sent}`)}`,
    },
    body: sent,
  });
  return { status, milliseconds: performance.now() - startedAt };
}

let deliveries = 0;

/** What Linear sends, signed as it does. */
export async function sendLinear(
  url: string,
  secret: string,
  event: 'Issue' | 'Comment',
  body: object,
): Promise<number> {
  const text = JSON.stringify({ type: event, webhookTimestamp: Date.now(), ...body });
  const { status } = await fetch(`${url}/api/v1/webhooks/linear`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Linear-Event': event,
      'Linear-Delivery': `delivery-${Date.now()}-${++deliveries}`,
      'Linear-Signature': hmac(secret, text),
    },
    body: text,
  });
  return status;
}

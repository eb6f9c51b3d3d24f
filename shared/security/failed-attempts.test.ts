import { expect, test } from 'vitest';
import { createFailedAttempts, networkOf } from './failed-attempts.ts';

test('so many a window, then wait until it is over', () => {
  let now = 5_000;
  const failures = createFailedAttempts({ most: 3, window: 60_000, now: () => now });
  for (const count of [1, 2, 3]) {
    expect(failures.secondsToWait('192.0.2.1')).toBe(0);
    expect(failures.count('192.0.2.1')).toBe(count);
  }
  expect([failures.secondsToWait('192.0.2.1'), failures.secondsToWait('192.0.2.2')]).toEqual([60, 0]);
  now += 59_999;
  expect(failures.secondsToWait('192.0.2.1')).toBe(1);
  now += 1;
  expect([failures.secondsToWait('192.0.2.1'), failures.count('192.0.2.1')]).toEqual([0, 1]);
});

test('what is taken back was none', () => {
  const failures = createFailedAttempts({ most: 1 });
  failures.count('192.0.2.1');
  failures.takeBack('192.0.2.1');
  failures.takeBack('192.0.2.1');
  expect([failures.secondsToWait('192.0.2.1'), failures.size()]).toEqual([0, 0]);
});

test('of more addresses than it keeps, those that failed longest ago are forgotten', () => {
  const failures = createFailedAttempts({ most: 1, addresses: 100 });
  for (let host = 0; host < 10_000; host++) failures.count(`10.0.${host >> 8}.${host & 255}`);
  expect(failures.size()).toBe(100);
  expect(failures.secondsToWait('10.0.39.15')).toBeGreaterThan(0);
  expect(failures.secondsToWait('10.0.0.0')).toBe(0);
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s counts as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

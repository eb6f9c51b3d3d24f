import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createControlGroup, look } from './control-group.ts';
import { bytesText, createDiskMeter } from './limits.ts';

test('bytes are told in the largest unit that fits', () => {
  expect([5, 1_024, 1.5 * 1_024 ** 2, 4 * 1_024 ** 3].map(bytesText)).toEqual(['5 bytes', '1 KiB', '1.5 MiB', '4 GiB']);
});

test('folders are walked through only when what is left of the limit was written or has gone from the disk', async () => {
  let walks = 0;
  let held = 0;
  let free = 1_000_000;
  const size = (): Promise<number> => {
    walks++;
    return Promise.resolve(held);
  };
  const isOver = createDiskMeter(1_000, ['/x'], { free: () => free, size });
  for (let written = 0; written < 1_000; written += 10) expect(await isOver(written)).toBe(false);
  expect(walks).toBe(0);
  held = 400;
  expect(await isOver(1_000)).toBe(false);
  expect(await isOver(1_599)).toBe(false);
  expect(walks).toBe(1);
  held = 900;
  expect(await isOver(1_600)).toBe(false);
  // Taken without a write.
  free -= 100;
  held = 1_001;
  expect(await isOver(1_600)).toBe(true);
  expect(walks).toBe(3);
});

test('what others give back to the disk hides nothing that was taken, where no write is counted', async () => {
  let free = 10_000;
  const isOver = createDiskMeter(1_000, ['/x'], { free: () => free, size: () => Promise.resolve(1_200) });
  free += 5_000;
  expect(await isOver(0)).toBe(false);
  free -= 600;
  expect(await isOver(0)).toBe(false);
  free += 5_000;
  expect(await isOver(0)).toBe(false);
  free -= 600;
  expect(await isOver(0)).toBe(true);
});

const mounts = [
  '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw',
  '34 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
  '35 31 0:33 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices',
  '36 31 0:34 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
  '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
].join('\n');

test('groups are made in the own group of each hierarchy of v1, and beside the own one of v2', () => {
  const groups = '4:memory:/a/b\n5:devices:/\n3:cpu,cpuacct:/\n0::/user.slice/app.slice/workledger.service\n';
  expect(look(groups, mounts)).toEqual([
    { folder: '/sys/fs/cgroup/memory/a/b', unified: false },
    { folder: '/sys/fs/cgroup/cpu,cpuacct', unified: false },
    { folder: '/sys/fs/cgroup/unified/user.slice/app.slice', unified: true },
  ]);
});

test('a container that sees a part of the hierarchy makes them there', () => {
  const inContainer = '41 31 0:38 /docker/1 /sys/fs/cgroup rw - cgroup2 cgroup rw';
  expect(look('0::/docker/1/own', inContainer)).toEqual([{ folder: '/sys/fs/cgroup', unified: true }]);
  expect(look('0::/docker/1', inContainer)).toEqual([{ folder: '/sys/fs/cgroup', unified: true }]);
});

test('what a group of v2 counted tells which limit was exceeded; without its files nobody claims to know', () => {
  const root = mkdtempSync(join(tmpdir(), 'workledger-groups-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const limits = { memoryBytes: 1_000, processes: 10, diskBytes: null, cpuSeconds: 1 };
  const bare = createControlGroup('one', limits, [{ folder: root, unified: true }]);
  expect([bare?.memoryExceeded(), bare?.processesExceeded(), bare?.cpuSeconds()]).toEqual([null, null, null]);

  const plant = (group: string): void => {
    mkdirSync(group);
    for (const file of ['memory.max', 'memory.swap.max', 'pids.max']) writeFileSync(join(group, file), 'max');
    writeFileSync(join(group, 'memory.events'), 'low 0\noom 0\noom_kill 0\noom_group_kill 0\n');
    writeFileSync(join(group, 'pids.events'), 'max 0\n');
    writeFileSync(join(group, 'cpu.stat'), 'usage_usec 1500000\nuser_usec 1\n');
  };
  const group = createControlGroup('two', limits, [{ folder: root, unified: true }], plant);
  const [folder = ''] = group?.folders ?? [];
  expect(['memory.max', 'memory.swap.max', 'pids.max'].map((file) => readFileSync(join(folder, file), 'utf8'))).toEqual(
    ['1000', '0', '10'],
  );
  expect([group?.memoryExceeded(), group?.processesExceeded(), group?.cpuSeconds()]).toEqual([false, false, 1.5]);
  writeFileSync(join(folder, 'memory.events'), 'low 0\noom 3\noom_kill 1\n');
  writeFileSync(join(folder, 'pids.events'), 'max 7\n');
  expect([group?.memoryExceeded(), group?.processesExceeded()]).toEqual([true, true]);
});

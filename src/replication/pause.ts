const FIRST_MS = 500

/**
 * How long to wait before the next try, in milliseconds: it doubles with every failure up to `longestMs`, and is then
 * shortened at random by up to a half, so that many nodes do not come back at once. Pure, but for `random`.
 *
 * @param failures how many tries have failed since the last success, from 1
 */
export function pauseBefore(failures: number, longestMs: number, random: () => number = Math.random): number {
  const fullMs = Math.min(FIRST_MS * 2 ** Math.min(failures - 1, 20), longestMs)
  return Math.round(fullMs * (1 - random() / 2))
}

// @ts-check
/** How long to wait before the next attempt to reach the server. Pure. */

/** A restarted edge is back within a second, so the first attempts are close; then the server is spared. */
const WAITS_MS = [150, 300, 500, 700, 1000, 1000, 1500, 2000, 3000, 5000];

/**
 * @param {number} attempt 0 for the first attempt after a loss
 * @param {number} chance 0..1; spreads pages that lost the same server by up to a fifth
 */
export function waitMs(attempt, chance) {
  const wait = WAITS_MS[Math.min(Math.max(attempt, 0), WAITS_MS.length - 1)];
  return Math.round(wait * (0.9 + 0.2 * chance));
}

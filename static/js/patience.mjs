// @ts-check
/** Asks until there is an answer, with waits that grow. */
import { waitMs } from "./backoff.mjs";

/**
 * @template T
 * @param {() => Promise<T>} ask
 * @param {() => void} failed called when the first attempt has failed
 * @param {(ms: number) => Promise<unknown>} wait
 * @returns {Promise<T>}
 */
export async function untilAnswered(ask, failed, wait = (ms) => new Promise((done) => setTimeout(done, ms))) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch {
      if (attempt === 0) failed();
    }
    await wait(waitMs(attempt, Math.random()));
  }
}

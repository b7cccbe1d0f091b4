// @ts-check
/** How sure the page is of each word it hears from the person: those that two guesses agree on are steady. Pure. */

/**
 * @param {string} before the guess before this one @param {string} now
 * @returns {{steady: string, loose: string}} the words of `now`, cut in two
 */
export function splitSteady(before, now) {
  const old = before.split(/\s+/).filter(Boolean);
  const words = now.split(/\s+/).filter(Boolean);
  let agreed = 0;
  while (agreed < words.length && words[agreed] === old[agreed]) agreed++;
  return { steady: words.slice(0, agreed).join(" "), loose: words.slice(agreed).join(" ") };
}

// @ts-check
/** What an HLS playlist of ours says about the programme's time. Pure. */

const SAMPLES_PER_MS = 48;

/**
 * The Unix time of programme sample 0, in ms, by which a player's date becomes a programme sample; null where the
 * playlist has no segment. Each segment has its date, and its name is the sample it begins with.
 * @param {string} playlist
 */
export function programmeZero(playlist) {
  const found = /#EXT-X-PROGRAM-DATE-TIME:(\S+)\n(?:#.*\n)*(\d+)\.m4s/.exec(playlist);
  const dateMs = found ? Date.parse(found[1]) : NaN;
  return found && Number.isFinite(dateMs) ? dateMs - Number(found[2]) / SAMPLES_PER_MS : null;
}

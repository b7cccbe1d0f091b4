// @ts-check
/**
 * What does not wait for the rest of the viewer page: its events, the offer, sound and pictures, and then what a 3D head is
 * drawn with. All of them wait for what is imported here.
 */
import { byId } from "./dom.mjs";
import { EventLine } from "./event_line.mjs";
import { HeadStart } from "./head_start.mjs";
import { fetchFile, fetchModules } from "./on_its_way.mjs";
import { eventsOf, whepOf, wishOfView, withPictures } from "./view_link.mjs";
import { Whep } from "./whep.mjs";

const wish = wishOfView(location);
const drawn = wish.front === "3d";
// Until the head is there what lies behind it is seen, not the portrait: a picture of another shape that fades over into it.
if (drawn) document.documentElement.dataset.face = "drawn";

/** For the page to take over; null: HLS is in no hurry. */
export const begun = wish.via === "hls" ? null : begin();

function begin() {
  const start = new HeadStart({
    line: (events) => new EventLine(eventsOf(wish, location, { drawn, via: wish.via }), wish.key, events),
    source: ({ ice }, events) => {
      const stream = (/** @type {MediaStream} */ media) => (play(media), events.stream(media));
      return new Whep({ url: whepOf(wish, location), token: wish.key, ice, pictures: !drawn }, { ...events, stream });
    },
  });
  addEventListener("pagehide", () => start.leave());
  return start;
}

/** Heard and seen before the rest of the page knows of it. @param {MediaStream} media */
function play(media) {
  const video = document.getElementById("avatar");
  if (!(video instanceof HTMLVideoElement)) return; // the page is not read so far: it will do so itself
  video.srcObject = media;
  video.play().catch(() => {}); // the page tries again, and says what the browser wants
}

/** What draws the face, where the page does so: fetched at once, run when the offer is out. */
export const seating = drawn ? seat() : Promise.resolve(null);
seating.catch(() => {}); // told where it is waited for

async function seat() {
  fetchModules();
  const coming = Promise.all([import("./seat.mjs"), import("./head.mjs")]);
  const session = await begun?.offered;
  const [{ Seat }, { fileOf }] = await coming;
  const quality = new URLSearchParams(location.search).get("quality") ?? "";
  const persona = session?.persona?.model ? session.persona : null;
  if (persona) fetchFile(fileOf(persona, quality));
  const [figure, canvas] = [byId("face", HTMLElement), byId("avatar3d", HTMLCanvasElement)];
  const made = new Seat({ figure, canvas, quality, failed: () => location.replace(withPictures(location)) });
  if (persona) made.prepare(persona);
  return made;
}

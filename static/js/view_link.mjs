// @ts-check
/** What a viewer page's address asks for, and the addresses that follow from it. Pure. */

/**
 * What the page's address asks for: the session, `?front=3d`, `?via=` where it plays from (hls, janus, edge; empty: as the
 * settings have it), and the audience's key in `#key=`, which no server log sees.
 * @param {{pathname: string, search: string, hash: string}} location
 */
export function wishOfView({ pathname, search, hash }) {
  return {
    session: decodeURIComponent(pathname.replace(/^\/view\//, "").replace(/\/$/, "")),
    front: new URLSearchParams(search).get("front") === "3d" ? "3d" : "2d",
    via: ["hls", "janus", "edge"].find((way) => way === new URLSearchParams(search).get("via")) ?? "",
    key: new URLSearchParams(hash.replace(/^#/, "")).get("key") ?? "",
  };
}

/** The same page, played from the edge. @param {{pathname: string, search: string, hash: string}} location */
export function fromTheEdge({ pathname, search, hash }) {
  const asked = new URLSearchParams(search);
  asked.set("via", "edge");
  return `${pathname}?${asked}${hash}`;
}

/** The same page with pictures instead of a head that it draws itself. @param {{pathname: string, search: string, hash: string}} location */
export function withPictures({ pathname, search, hash }) {
  const { via } = wishOfView({ pathname, search, hash });
  return `${pathname}${via ? `?via=${via}` : ""}${hash}`;
}

/**
 * Where the session's events are read.
 * @param {{session: string}} wish @param {{origin: string}} location
 * @param {{drawn: boolean, via: string}} how drawn: the page draws the face itself
 */
export function eventsOf({ session }, { origin }, { drawn, via }) {
  const asked = new URLSearchParams({ ...(via !== "hls" && { playing: "" }), ...(drawn && { mouth: "" }), ...(via && { via }) });
  return `${origin}/view/${encodeURIComponent(session)}/events?${asked}`;
}

/** Where players get the session from. @param {{session: string}} wish @param {{origin: string}} location */
export function whepOf({ session }, { origin }) {
  return `${origin}/whep/${encodeURIComponent(session)}`;
}

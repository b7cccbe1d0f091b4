// What the viewer page asks for before it runs: lists in the page that must be those of the modules themselves.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { FIRST, MODULES } from "../../static/js/on_its_way.mjs";

const STATIC = new URL("../../static/", import.meta.url);
const PAGE = readFileSync(new URL("view.html", STATIC), "utf8");
const NAMES = JSON.parse(/<script type="importmap">(.*?)<\/script>/s.exec(PAGE)[1]).imports;

/** Addresses of a module and of all that it imports before it runs. */
function graph(address, found = new Set()) {
  if (found.has(address)) return found;
  found.add(address);
  const file = new URL(address.replace(/^\/static\//, ""), STATIC);
  const text = readFileSync(file, "utf8");
  for (const [, name] of text.matchAll(/^(?:import|export)\b[^;"']*?\bfrom\s*["']([^"']+)["']/gm)) graph(addressOf(name, address), found);
  return found;
}

function addressOf(name, from) {
  if (name.startsWith(".")) return new URL(name, `http://here${from}`).pathname;
  const folder = Object.keys(NAMES).find((key) => key.endsWith("/") && name.startsWith(key));
  return NAMES[name] ?? NAMES[folder] + name.slice(folder.length);
}

const early = [...graph("/static/js/early.mjs")];
const whole = [...graph("/static/js/view.mjs")];

test("the page asks for what it begins with first, then for the rest of its modules, all at once", () => {
  const links = [...PAGE.matchAll(/<link rel="modulepreload"( fetchpriority="low")? href="([^"]+)">/g)];
  const first = links.filter(([, low]) => !low).map(([, , href]) => href);
  // What finds out which head is wanted waits for the mouth as well.
  assert.deepEqual(first.toSorted(), [...early, "/static/js/mouth.mjs"].toSorted());
  assert.deepEqual(links.slice(0, first.length).map(([, , href]) => href), first, "in front of the others");
  assert.deepEqual(links.map(([, , href]) => href).toSorted(), [...new Set([...early, ...whole])].toSorted());
});

test("nothing that draws in 3D is imported before the offer", () => {
  for (const address of [...early, ...whole]) assert.doesNotMatch(address, /vendor|avatar3d/);
});

test("what finds out which head is wanted is asked for before what draws it", () => {
  const needed = new Set(["seat", "head"].flatMap((name) => [...graph(`/static/js/${name}.mjs`)]));
  assert.deepEqual(FIRST.toSorted(), [...needed].filter((each) => !early.includes(each)).toSorted());
});

test("what draws in 3D is asked for whole", { skip: !existsSync(new URL("vendor/three", STATIC)) && "bin/up fetches three.js" }, () => {
  assert.deepEqual(MODULES.toSorted(), [...graph("/static/js/avatar3d/avatar3d.mjs")].filter((each) => !each.endsWith("/mouth.mjs")).toSorted());
});

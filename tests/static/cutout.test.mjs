// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { isCutout, possible } from "../../static/js/cutout.mjs";
import { looksOf } from "../../static/js/link.mjs";

test("a picture of twice its height's width carries figure and alpha, a square one does not", () => {
  assert.ok(isCutout(1024, 512));
  assert.ok(!isCutout(512, 512));
  assert.ok(!isCutout(0, 0));
});

test("the address asks for the figure alone", () => {
  assert.equal(looksOf("?persona=host&background=transparent").background, "transparent");
  assert.equal(looksOf("?background=none").background, "none");
});

test("without WebGL no page asks for pictures it cannot show", () => {
  assert.equal(possible(), false);
});

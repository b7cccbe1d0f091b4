import assert from "node:assert/strict";
import { test } from "node:test";

import { Ear } from "../../static/js/ear.mjs";

const ORIGIN_MS = 1.8e12;
const receiver = (timestamp, rtpTimestamp) => ({ getSynchronizationSources: () => [{ timestamp, rtpTimestamp }] });

test("packets are dated alike whether the browser counts from the page's start or from 1970", () => {
  for (const timestamp of [500, ORIGIN_MS + 500]) {
    const ear = new Ear(ORIGIN_MS);
    ear.listenTo(receiver(timestamp, 9600));
    assert.equal(ear.heard(510, 0), 9600 + 480);
    assert.equal(ear.heard(510, 10), 9600);
  }
});

test("nothing is heard without a call, nor of the call before", () => {
  const ear = new Ear(ORIGIN_MS);
  assert.equal(ear.heard(0, 0), null);
  ear.listenTo(receiver(500, 9600));
  ear.heard(500, 0);
  ear.listenTo({ getSynchronizationSources: () => [] });
  assert.equal(ear.heard(510, 0), null);
});

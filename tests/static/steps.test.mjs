// What the page makes of the server's steps down and up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Steps } from "../../static/js/steps.mjs";

const simpler = { kind: "lipsync", step: "portrait", reason: "wav2lip is too slow here; portrait stands in" };
const back = { kind: "lipsync", step: "full", reason: "wav2lip is tried again" };

test("a step down is a line and a sentence, and its way back takes the notice away", () => {
  const steps = new Steps();
  assert.deepEqual(steps.take(simpler), {
    line: "wav2lip is too slow here; portrait stands in",
    notice: "degraded",
    shows: true,
    text: "Wav2lip is too slow here; portrait stands in.",
    over: false,
  });
  const up = steps.take(back);
  assert.deepEqual([up.line, up.shows, up.over], ["wav2lip is tried again", false, true]);
});

test("what is spoken or hardly seen is a line only", () => {
  const steps = new Steps();
  for (const step of ["half_rate", "one_moment", "apology"]) {
    assert.equal(steps.take({ kind: "answer", step, reason: "slow" }).shows, false);
  }
});

test("while another stage is still down its notice stays", () => {
  const steps = new Steps();
  steps.take({ kind: "tts", step: "flite", reason: "piper failed; flite stands in" });
  steps.take(simpler);
  assert.equal(steps.take(back).over, false);
  assert.equal(steps.take({ kind: "tts", step: "full", reason: "piper is tried again" }).over, true);
});

test("the network and the server's own trouble are two notices", () => {
  const steps = new Steps();
  steps.take(simpler);
  assert.equal(steps.take({ kind: "network", step: "rate_400", reason: "narrow" }).notice, "narrow");
  assert.equal(steps.take({ kind: "network", step: "full", reason: "wide" }).over, true);
});

test("a process that was replaced is over at once, and a step without a reason is named", () => {
  const steps = new Steps();
  steps.take({ kind: "tts", step: "replaced", reason: "tts was replaced" });
  steps.take(simpler);
  assert.equal(steps.take(back).over, true);
  const bare = steps.take({ step: "still" });
  assert.deepEqual([bare.line, bare.text, bare.shows], ["still", "", true]);
});

import assert from "node:assert/strict";
import test from "node:test";

import {
  answer, back, makeQueue, nextOpen, takeAnswered,
} from "../../../pages/parts/versus/versus_answers.js";

const data = (changes = {}) => ({
  study: "/s", rater: "anna", pair: "k", seq: 0, subjects: ["A", "B", "C"], done: [], answers: {},
  at: "A", ...changes,
});

test("an answer names all it belongs to, and the next open subject comes", () => {
  const queue = makeQueue(data({ done: ["B"] }), []);
  answer(queue, "left", 1.5, "t1");
  assert.deepEqual(queue.acts, [{ token: "t1", study: "/s", rater: "anna", pair: "k", subject: "A",
    better: "left", seconds: 1.5 }]);
  assert.equal(queue.at, "C");
  answer(queue, "neither", 1, "t2");
  assert.equal(queue.at, "");
  answer(queue, "left", 1, "t3"); // nothing is left to answer
  assert.equal(queue.acts.length, 2);
});

test("the queue goes round", () => {
  const subjects = ["A", "B", "C"];
  assert.equal(nextOpen({ subjects, done: new Set(["C"]) }, "B"), "A");
  assert.equal(nextOpen({ subjects, done: new Set(subjects) }, "B"), "");
});

test("an answer stays until it is on the disk", () => {
  const queue = makeQueue(data(), []);
  answer(queue, "left", 1, "t1");
  answer(queue, "right", 1, "t2");
  takeAnswered(queue, data({ answers: { t1: "" }, done: ["A"] }));
  assert.deepEqual(queue.acts.map(({ token }) => token), ["t2"]);
  assert.deepEqual([...queue.done], ["A", "B"]);
  assert.equal(queue.at, "C");
});

test("an answer that cannot be kept is said, and its subject comes back", () => {
  const queue = makeQueue(data(), []);
  answer(queue, "left", 1, "t1");
  takeAnswered(queue, data({ answers: { t1: "the disk is full" } }));
  assert.equal(queue.at, "A");
  assert.equal(queue.said, "A is not saved: the disk is full");
  assert.deepEqual([queue.acts, [...queue.done], queue.past], [[], [], []]);
});

test("back goes to what was answered last, then to the subject before", () => {
  const queue = makeQueue(data({ at: "B" }), []);
  answer(queue, "left", 1, "t1");
  back(queue);
  assert.equal(queue.at, "B");
  back(queue);
  assert.equal(queue.at, "A");
  back(queue);
  assert.equal(queue.at, "A");
});

test("answers kept from before a reload are counted where they belong", () => {
  const act = { token: "t", study: "/s", rater: "anna", pair: "k", subject: "A", better: "left" };
  const queue = makeQueue(data(), [act]);
  assert.deepEqual([...queue.done], ["A"]);
  assert.equal(queue.at, "B");
  const other = makeQueue(data(), [{ ...act, pair: "other" }]);
  assert.deepEqual([...other.done], []);
  assert.equal(other.at, "A");
  assert.equal(other.acts.length, 1); // it is still sent
});

test("a subject that cannot be read is passed over", () => {
  const queue = makeQueue(data(), []);
  takeAnswered(queue, data({ subjects: ["B", "C"], at: "B" }));
  assert.equal(queue.at, "B");
});

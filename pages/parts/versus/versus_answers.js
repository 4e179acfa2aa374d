// @ts-check
// Who has answered what: where one is in the queue, and answers that wait to be on the disk.

import { answered } from "../shared/browser/outbox.js";

/** An answer; its token makes it be kept once, however often it is sent.
 * @typedef {{ token: string, study: string, rater: string, pair: string, subject: string,
 *   better: string, seconds: number }} Act */
/** `done` are subjects with an answer, `acts` answers that Python has not confirmed, `past` those
 * answered here, in order, `at` the subject on the screen ("" once all are answered).
 * @typedef {{ study: string, rater: string, pair: string, subjects: string[], done: Set<string>,
 *   acts: Act[], past: string[], at: string, said: string }} Queue */
/** What Python sends.
 * @typedef {{ study: string, rater: string, pair: string, seq: number, subjects: string[],
 *   done: string[], answers: Record<string, string>, at: string }} Data */

/** @param {Data} data @param {Act[]} acts those kept from before @returns {Queue} */
export function makeQueue({ study, rater, pair, subjects, done, at }, acts) {
  /** @type {Queue} */
  const queue = { study, rater, pair, subjects, acts, past: [], said: "", done: new Set(), at };
  queue.done = answeredIn(queue, done);
  if (acts.length && queue.done.has(at)) queue.at = nextOpen(queue, at);
  return queue;
}

/** Subjects with an answer in this comparison: on the disk, or on the way to it.
 * @type {(queue: Queue, done: string[]) => Set<string>} */
const answeredIn = ({ acts, pair, rater }, done) => new Set([...done, ...acts
  .filter((act) => act.pair === pair && act.rater === rater).map((act) => act.subject)]);

/** The next subject without an answer behind one, going round; "" where there is none.
 * @type {(queue: Pick<Queue, "subjects" | "done">, at: string) => string} */
export function nextOpen({ subjects, done }, at) {
  const from = subjects.indexOf(at) + 1;
  const round = [...subjects.slice(from), ...subjects.slice(0, from)];
  return round.find((subject) => !done.has(subject)) ?? "";
}

/** Answer the subject on the screen and go on to the next one.
 * @type {(queue: Queue, better: string, seconds: number, token: string) => void} */
export function answer(queue, better, seconds, token) {
  const { study, rater, pair, at: subject } = queue;
  if (!subject) return;
  queue.acts.push({ token, study, rater, pair, subject, better, seconds });
  queue.done.add(subject);
  queue.past.push(subject);
  queue.said = "";
  queue.at = nextOpen(queue, subject);
}

/** Back to the subject that was answered last; else to the one before. @param {Queue} queue */
export function back(queue) {
  const before = queue.subjects[queue.subjects.indexOf(queue.at) - 1];
  queue.at = queue.past.pop() ?? before ?? queue.at;
}

/** Take what Python says: acts on the disk are done with, others come back with the reason.
 * @type {(queue: Queue, data: Data) => void} */
export function takeAnswered(queue, { answers, done, subjects, at }) {
  const { left, failures } = answered(queue.acts, answers);
  queue.subjects = subjects;
  for (const [subject, sentence] of Object.entries(failures)) {
    queue.said = `${subject} is not saved: ${sentence}`;
    queue.past = queue.past.filter((one) => one !== subject);
    queue.at = subject;
  }
  queue.acts = left;
  queue.done = answeredIn(queue, done);
  if (!subjects.includes(queue.at)) queue.at = queue.done.has(at) ? nextOpen(queue, at) : at;
}

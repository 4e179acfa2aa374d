// @ts-check
// Receives a pair of masks and keeps it; draws nothing.

import { bytesOf } from "../shared/browser/blocks.js";
import { keep, sharedStore, unpackPair } from "./versus_store.js";

/** @param {{ data: any }} component */
export default function versusBlock({ data }) {
  if (data) unpackPair(bytesOf(data)).then((pair) => keep(sharedStore(), pair));
}

// What several tests need: blocks of bytes as Python packs them, and nodes that remember.

/** A header or text behind its length, then parts as they are. */
export function block(header, ...parts) {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return new Uint8Array(Buffer.concat([length, text, ...parts.map((part) => Buffer.from(part))]));
}

/** Parts behind their lengths, one after the other. */
export function joined(...parts) {
  return new Uint8Array(Buffer.concat(parts.map((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(part.length);
    return Buffer.concat([length, Buffer.from(part)]);
  })));
}

/** uint32 numbers as bytes, little-endian. */
export const uint32s = (numbers) => new Uint8Array(Uint32Array.from(numbers).buffer);

/** A node that keeps its attributes and hears events. */
export class FakeNode extends EventTarget {
  attributes = {};
  captured = [];
  textContent = "";

  setAttribute(name, value) { this.attributes[name] = value; }
  setPointerCapture(id) { this.captured.push(id); }
  getBoundingClientRect() { return { left: 10, top: 20 }; }

  /** Dispatch an event with these properties; gives the event. */
  send(kind, properties = {}) {
    const event = Object.assign(new Event(kind, { cancelable: true }), properties);
    this.dispatchEvent(event);
    return event;
  }
}

/** The binary encoding of SSH (RFC 4251, section 5), read strictly: one form for each value, every length checked, nothing left over. */

/** Bytes that are not what they should be. Whoever reads turns it into a refusal with its own words. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** Reads one buffer from its start to its end. */
export class WireReader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  /** So many bytes as they are. */
  take(count: number): Buffer {
    if (count > this.bytes.length - this.#at) throw new WireError('it ends too early');
    const taken = this.bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  /** Bytes with their length in front. */
  string(): Buffer {
    return this.take(this.uint32());
  }

  /** The same for names: printable ASCII. */
  text(): string {
    const text = this.string().toString('latin1');
    if (!/^[\x20-\x7e]*$/.test(text)) throw new WireError('a name has bytes that are no letters');
    return text;
  }

  /** A number above zero in its shortest form, big end first, without its sign byte. */
  positive(): Buffer {
    const bytes = this.string();
    const [first, second = 0] = bytes;
    if (first === undefined) throw new WireError('a number is zero');
    if (first > 0x7f) throw new WireError('a number is negative');
    if (first > 0) return bytes;
    if (second < 0x80) throw new WireError('a number is not in its shortest form');
    return bytes.subarray(1);
  }

  /** Nothing may follow. */
  end(): void {
    if (this.#at !== this.bytes.length) throw new WireError('something follows its end');
  }
}

/** Bytes or ASCII text with their length in front. */
export function wireString(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([wireUint32(bytes.length), bytes]);
}

export function wireUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A number above zero, big end first, in its shortest form. */
export function wirePositive(value: Buffer): Buffer {
  const start = value.findIndex((byte) => byte > 0);
  const short = value.subarray(start);
  return wireString(short[0]! > 0x7f ? Buffer.concat([Buffer.from([0]), short]) : short);
}

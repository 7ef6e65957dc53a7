/**
 * Ids in their order, for pages. They lie in blocks, so that one more moves a few hundred of its
 * neighbours and no change or page has to sort a million of them in one turn of the event loop.
 */

/** A block that grows beyond it becomes two. */
const blockIdsMax = 1_024;

export class IdOrder {
  /** Sorted, each and all of them; none is empty. */
  readonly #blocks: string[][] = [];

  /** For an id that is not in it. */
  add(id: string): void {
    const at = this.#blockOf(id);
    const block = this.#blocks[at];
    if (block === undefined) {
      this.#blocks.push([id]);
      return;
    }
    const position = positionAfter(block, id);
    const isNext = position === block.length && at === this.#blocks.length - 1;
    if (block.length < blockIdsMax) block.splice(position, 0, id);
    // Ids that come in their order fill their blocks, as at the start.
    else if (isNext) this.#blocks.push([id]);
    else {
      block.splice(position, 0, id);
      this.#blocks.splice(at + 1, 0, block.splice(blockIdsMax >>> 1));
    }
  }

  /** For an id that is in it. */
  remove(id: string): void {
    const at = this.#blockOf(id);
    const block = this.#blocks[at] ?? [];
    const position = positionAfter(block, id) - 1;
    if (block[position] !== id) return;
    block.splice(position, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  /** The ids that follow `after`, which itself need not be in it; all of them without it. */
  *following(after: string | undefined): Generator<string> {
    let at = after === undefined ? 0 : this.#blockOf(after);
    let from = after === undefined ? 0 : positionAfter(this.#blocks[at] ?? [], after);
    for (; at < this.#blocks.length; at += 1) {
      yield* (this.#blocks[at] ?? []).slice(from);
      from = 0;
    }
  }

  /** The last block that begins with this id or a smaller one, else the first. */
  #blockOf(id: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const first = this.#blocks[middle]?.[0];
      if (first !== undefined && first <= id) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

/** The index of the first id greater than this one. */
function positionAfter(ids: readonly string[], id: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const probe = ids[middle];
    if (probe !== undefined && probe <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Ids in their order, for pages. Changes are gathered and merged when a page is asked for: an
 * import of many devices would else move the tail of a long array once for each of them.
 */
export class IdOrder {
  #sorted: string[] = [];
  readonly #added = new Set<string>();
  readonly #removed = new Set<string>();

  /** For an id that is not in it. */
  add(id: string): void {
    this.#added.add(id);
  }

  /** For an id that is in it. */
  remove(id: string): void {
    if (!this.#added.delete(id)) this.#removed.add(id);
  }

  /** The ids that follow `after`, which itself need not be in it; all of them without it. */
  *following(after: string | undefined): Generator<string> {
    this.#merge();
    const { length } = this.#sorted;
    for (let index = this.#positionAfter(after); index < length; index += 1) {
      const id = this.#sorted[index];
      if (id !== undefined) yield id;
    }
  }

  #merge(): void {
    if (this.#added.size === 0 && this.#removed.size === 0) return;
    const kept = this.#sorted.filter((id) => !this.#removed.has(id));
    // Sorting two runs that are sorted already, the second one short, is close to one pass.
    this.#sorted = [...kept, ...[...this.#added].sort()].sort();
    this.#added.clear();
    this.#removed.clear();
  }

  /** The index of the first id greater than this one. */
  #positionAfter(id: string | undefined): number {
    if (id === undefined) return 0;
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const probe = this.#sorted[middle];
      if (probe !== undefined && probe <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

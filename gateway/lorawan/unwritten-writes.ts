/** Writes on their way to the disk, as one promise for whoever may not go on before. */
export class UnwrittenWrites {
  #count = 0;
  #all: Promise<unknown> = Promise.resolve();

  add(write: Promise<unknown>): void {
    this.#count += 1;
    const all = Promise.all([this.#all, write]);
    this.#all = all;
    const done = () => {
      this.#count -= 1;
      if (this.#count === 0) this.#all = Promise.resolve();
    };
    all.then(done, done);
  }

  /** Resolves when all of them are on disk, rejects when one failed; undefined when none waits. */
  pending(): Promise<unknown> | undefined {
    return this.#count === 0 ? undefined : this.#all;
  }
}

/** A ledger in a directory of its own for each test, with a clock that stands still. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import type { ResetRule } from '../../gateway/ledger/counter-reset.ts';
import type { Delivery, Outcome } from '../../gateway/ledger/ledger.ts';
import type { LedgerLimits } from '../../gateway/ledger/ledger-limits.ts';
import { type LmdbLedger, openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { outcomes, startTime } from './deliveries.ts';

export class TestBench {
  directory = '';
  now = startTime;
  /** Of every device. */
  resetRule: ResetRule | undefined;
  #ledger: LmdbLedger | undefined;

  get ledger(): LmdbLedger {
    assert.ok(this.#ledger, 'it is open');
    return this.#ledger;
  }

  /** Takes a ledger that a test has opened by itself. */
  set ledger(ledger: LmdbLedger) {
    this.#ledger = ledger;
  }

  async start(limits: Partial<LedgerLimits> = {}): Promise<void> {
    const clock = { now: () => this.now };
    const resetRuleOf = () => this.resetRule;
    this.#ledger = await openLedger({ directory: this.directory, limits, clock, resetRuleOf });
  }

  async restart(limits: Partial<LedgerLimits> = {}): Promise<void> {
    await this.ledger.close();
    await this.start(limits);
  }

  async outcomeOf(delivery: Delivery): Promise<Outcome | undefined> {
    return outcomes(await this.ledger.accept(delivery))[0];
  }

  async outcomesOf(...deliveries: Delivery[]): Promise<(Outcome | undefined)[]> {
    const found: (Outcome | undefined)[] = [];
    for (const delivery of deliveries) found.push(await this.outcomeOf(delivery));
    return found;
  }
}

export function useLedger(): TestBench {
  const bench = new TestBench();
  beforeEach(async () => {
    bench.directory = await mkdtemp(join(tmpdir(), 'fieldgate-ledger-'));
    bench.now = startTime;
    bench.resetRule = undefined;
    await bench.start();
  });
  afterEach(async () => {
    await bench.ledger.close();
    await rm(bench.directory, { recursive: true, force: true });
  });
  return bench;
}

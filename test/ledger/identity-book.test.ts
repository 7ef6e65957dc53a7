import { describe, expect, it } from '@jest/globals';
import { IdentityBook } from '../../gateway/ledger/identity-book.ts';
import { openLedgerFiles } from '../../gateway/ledger/lmdb-files.ts';
import { withDirectory } from './deliveries.ts';

describe('The identity book', () => {
  it('still knows an identity when the rotation that would empty it was not committed', async () => {
    await withDirectory(async (directory) => {
      const files = openLedgerFiles({ directory }, { readOnly: false });
      const limits = { identityWindowMs: 1_000, identitiesMax: 2 };
      const book = new IdentityBook(files, { now: () => 0 }, limits);
      const first = 'first'.padEnd(20);
      const second = 'second'.padEnd(20);
      const put = (key: string) =>
        files.root.childTransaction(() => {
          book.rotateIfDue();
          book.put(key, Buffer.from('1'));
        });
      await put(first);
      await put(second);
      let undo = () => {};
      const failed = files.root.childTransaction(() => {
        undo = book.rotateIfDue();
        expect(book.find(first)).toBeUndefined();
        throw new Error('The disk is full.');
      });
      await expect(failed).rejects.toThrow('The disk is full.');
      undo();
      expect([book.find(first), book.find(second)]).toEqual([Buffer.from('1'), Buffer.from('1')]);
      await files.root.close();
    });
  });
});

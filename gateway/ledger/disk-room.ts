/**
 * Whether the disk has room for what is to be written, asked before each group. A write that finds
 * the disk full at its last byte fails in the database's native code, which then writes a sentence
 * of up to 125 characters into 100 bytes (lmdb 3.5.6, mdb_page_flush) and may end the process.
 */
import { statfsSync } from 'node:fs';

/** False when fewer bytes than these are left to this process on the directory's disk. */
export function hasRoom(directory: string, bytes: number): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize >= bytes;
  } catch {
    // A disk that does not even tell its size: the write itself will say what is wrong.
    return true;
  }
}

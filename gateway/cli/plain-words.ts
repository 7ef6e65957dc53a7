/** What went wrong, in words for whoever has typed the command: no codes of the system's calls. */

/** Said after the path of a file that a call of the system could not use. */
const sentences: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file: a part of its path is no directory',
  EISDIR: 'is a directory, not a file',
  EEXIST: 'is there already, and is not written over',
  EACCES: 'may not be opened: permission is missing',
  EPERM: 'may not be changed: permission is missing',
  EROFS: 'cannot be written: its disk is read-only',
  ENOSPC: 'cannot be written: its disk is full',
};

export function plainWords(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error);
  return fileSentence(error) ?? String(error.message);
}

function fileSentence(error: object): string | undefined {
  if (!('code' in error)) return undefined;
  const sentence = sentences[String(error.code)];
  if (sentence === undefined) return undefined;
  // A call on an open file names no path.
  return `${'path' in error ? String(error.path) : 'the file'}: ${sentence}`;
}

/** What went wrong, in words for whoever has typed the command: no codes of the system's calls. */

/** Said after the path of a file that a call of the system could not use. */
const sentences: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file: a part of its path is no directory',
  EISDIR: 'is a directory, not a file',
  EEXIST: 'is there already, and is not written over',
  EACCES: 'may not be opened: permission is missing',
  EPERM: 'may not be changed: permission is missing',
  ENAMETOOLONG: 'is longer than a file name can be',
  ELOOP: 'leads in a circle of links',
  EROFS: 'cannot be written: its disk is read-only',
  ENOSPC: 'cannot be written: its disk is full',
};

const unopened = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'ENAMETOOLONG', 'ELOOP'];

/** Said after the address that a server could not listen on. */
const doorSentences: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already. Stop it, or give this one another port.',
  EADDRNOTAVAIL: 'this machine has no such address. Give one that it has, or 127.0.0.1.',
  EACCES: 'permission to listen there is missing. Ports below 1024 are for root.',
};

export function plainWords(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error);
  return doorSentence(error) ?? fileSentence(error) ?? String(error.message);
}

function doorSentence(error: object): string | undefined {
  if (!('code' in error && 'address' in error && 'port' in error && 'syscall' in error)) return;
  const sentence = doorSentences[String(error.code)];
  const isListening = error.syscall === 'listen' || error.syscall === 'bind';
  if (sentence === undefined || !isListening) return undefined;
  return `Port ${String(error.port)} of ${String(error.address)}: ${sentence}`;
}

/** Of a file that could not be opened for what it is or where it is; not of a full disk. */
export function pathOfFault(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (!('code' in error && 'path' in error)) return undefined;
  const isUnopened = unopened.includes(String(error.code));
  return isUnopened && typeof error.path === 'string' ? error.path : undefined;
}

function fileSentence(error: object): string | undefined {
  if (!('code' in error)) return undefined;
  const sentence = sentences[String(error.code)];
  if (sentence === undefined) return undefined;
  if ('syscall' in error && error.syscall === 'mkdir' && 'path' in error && error.code === 'EEXIST')
    return `${String(error.path)}: is a file, where a directory is wanted`;
  // A call on an open file names no path.
  return `${'path' in error ? String(error.path) : 'the file'}: ${sentence}`;
}

/** The words of a command cannot be followed as they stand: a sentence, and exit code 2. */
export class WordsRefused extends Error {}

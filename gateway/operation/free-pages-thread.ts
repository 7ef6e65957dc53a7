/** The thread that heap-rest.ts starts: has free pages given back, and ends. */
import { giveBackFreePages } from '../stores/embedded/allocator.ts';

await giveBackFreePages();

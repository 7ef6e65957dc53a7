/** The sandbox's thread from its sources, so that tests need no compiled program. */
import { register } from 'node:module';

register('./strip-types.mjs', import.meta.url);
await import('../../gateway/codecs/sandbox-worker.ts');

/**
 * What is used of WebAssembly, which neither the ES library nor Node's types of version 20 declare.
 */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(
      module: Module,
      imports: Readonly<Record<string, Readonly<Record<string, Memory>>>>,
    );
    readonly exports: Readonly<Record<string, (...values: readonly unknown[]) => unknown>>;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
  class Memory {
    constructor(pages: { readonly initial: number; readonly maximum: number });
    readonly buffer: ArrayBuffer;
  }
}

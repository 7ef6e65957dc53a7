/** Optional fields of an uplink are set one by one while it is read; afterwards it is readonly. */
export type Draft<T> = { -readonly [Field in keyof T]: T[Field] };

/** Accounts that come and go while the broker runs: those that provisioning makes, one a device. */

/** What an account may do; topic filters with templates. */
export interface AccountProfile {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** Topic filters on which its retained messages are kept; none when left out. */
  readonly retain?: readonly string[] | undefined;
  /** Topic filters hidden from it although `subscribe` covers them. */
  readonly hide?: readonly string[] | undefined;
}

export interface DeviceSecret {
  readonly id: string;
  /** As hashSecret makes it. */
  readonly hash: string;
  /** Epoch milliseconds; for ever without it. */
  readonly validUntil?: number | undefined;
}

export interface DeviceAccount {
  readonly username: string;
  readonly deviceId: string;
  readonly agency?: string | undefined;
  readonly application?: string | undefined;
  /** More than one while a new one is brought to the device. */
  readonly secrets: readonly DeviceSecret[];
}

export interface DeviceAccountBook {
  /** Asked at every login, so that a change holds at once. */
  find(username: string): DeviceAccount | undefined;
  /** Another number after every change, by whichever process. */
  generation(): number;
}

/** For a broker that has only the accounts of its configuration. */
export const noDeviceAccounts: DeviceAccountBook = { find: () => undefined, generation: () => 0 };

export const noProfile: AccountProfile = { publish: [], subscribe: [] };

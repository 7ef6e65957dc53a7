/** What operators do to the credentials of devices over HTTP; each goes into the audit log. */
import type { CredentialOperators } from '../../dashboard/operators.ts';
import type { AuditLog } from '../holdings/audit-log.ts';
import { type DeviceCredentials, drawSecrets } from '../holdings/device-credentials.ts';

export interface CredentialParts {
  readonly deviceCredentials: DeviceCredentials;
  readonly audit: Pick<AuditLog, 'append'>;
}

/** Accounts of the configuration are the operator's: no device can have the name of one. */
export function createCredentialOperators(
  { deviceCredentials, audit }: CredentialParts,
  isConfigured: (username: string) => boolean,
): CredentialOperators {
  const problemOf = (deviceId: string, isRepeated: boolean): string | undefined => {
    if (isConfigured(deviceId)) return 'an account of the configuration has this name';
    if (isRepeated) return 'named twice';
    const isKnown = deviceCredentials.find(deviceId) !== undefined;
    return isKnown ? 'has a credential; rotate it' : undefined;
  };
  return {
    list: ({ after, limit }) => {
      const found = [];
      for (const { deviceId, agency, application, secrets } of deviceCredentials.list(after)) {
        if (found.length >= limit) break;
        const times = secrets.map(({ validUntil }) => ({ validUntil }));
        found.push({ deviceId, agency, application, secrets: times });
      }
      return found;
    },
    create: async (devices, by) => {
      const seen = new Set<string>();
      const checked = devices.map((device) => {
        const problem = problemOf(device.deviceId, seen.has(device.deviceId));
        seen.add(device.deviceId);
        return { device, problem };
      });
      const fresh = checked.filter(({ problem }) => problem === undefined);
      const drawn = drawSecrets(fresh.map(({ device }) => device));
      await deviceCredentials.create(drawn);
      if (drawn.length > 0) {
        audit.append({ event: 'credential', by, detail: `created for ${drawn.length} devices` });
      }
      const secretOf = new Map(drawn.map(({ deviceId, secret }) => [deviceId, secret]));
      return checked.map(({ device: { deviceId }, problem }) =>
        problem === undefined
          ? { deviceId, ok: true, secret: secretOf.get(deviceId) ?? '' }
          : { deviceId, ok: false, detail: problem },
      );
    },
    rotate: async (deviceId, { until, by }) => {
      const [drawn] = drawSecrets([{ deviceId }]);
      if (drawn === undefined || !(await deviceCredentials.rotate(drawn, { until })))
        return undefined;
      const detail = `rotated, the old one until ${new Date(until).toISOString()}`;
      audit.append({ event: 'credential', by, credential: deviceId, detail });
      return drawn.secret;
    },
    revoke: async (deviceId, by) => {
      if (!(await deviceCredentials.revoke(deviceId))) return false;
      audit.append({ event: 'credential', by, credential: deviceId, detail: 'revoked' });
      return true;
    },
  };
}

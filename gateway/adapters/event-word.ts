/** The sender's own word for an event, as the short name by which it is counted and listed. */

const word = /^[a-z][a-z0-9-]{0,31}$/;

/**
 * `downlink_Sent` and `dataDownEvent` become `downlink-sent` and `data-down-event`; else undefined.
 */
export function eventWord(text: string): string | undefined {
  if (text.length > 32) return undefined;
  const name = text
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replace(/_/g, '-')
    .toLowerCase();
  return word.test(name) ? name : undefined;
}

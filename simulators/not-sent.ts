/** The run ended before the message was on its way: it counts neither as sent nor as failed. */
export class NotSent extends Error {
  readonly code = 'NOT_SENT';

  constructor() {
    super('the run has ended');
  }
}

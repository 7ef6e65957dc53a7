/**
 * Vega NB-11 and NB-14 NB-IoT meters. The device is named by its IMEI alone, so the id is a hash;
 * radio values come in tenths, TAC and cell in hex, times in seconds.
 */
import type { MappingProfile, MeasurementSpec } from '../../../../config/mapping-schema.ts';

function pulses(input: number): MeasurementSpec {
  const channel = String(input);
  return { from: `/Telemetry/pulse${input}`, name: 'pulse_count', channel, type: 'number' };
}

const tenth = 0.1;

export const vega: MappingProfile = {
  name: 'vega',
  topics: ['vega/{unit}/data'],
  // One model has the cell in a group of its own, the other beside its signal, or none yet.
  rules: ['/LBS', '/CellStatus'].map((cell) => ({
    when: [
      { from: '/Telemetry', is: 'object' },
      ...(cell === '/LBS' ? [{ from: `${cell}/TAC`, exists: true }] : []),
    ],
    deviceId: { from: '/Message/IMEI', kind: 'imei' },
    time: { from: '/Telemetry/UTC', unit: 's' },
    messageKey: ['/Message/num', '/Message/UTC'],
    measurements: [
      { from: '/Telemetry/bat', name: 'battery_level', unit: '%', type: 'number' },
      { from: '/Telemetry/temp', name: 'device_temperature', unit: 'Cel', type: 'number' },
      pulses(1),
      pulses(2),
      pulses(3),
      pulses(4),
      {
        from: '/Telemetry/onewire',
        name: 'temperature',
        channel: '{position}',
        unit: 'Cel',
        type: 'number',
        list: true,
      },
    ],
    all: [
      {
        from: '/Telemetry',
        exclude: ['UTC', 'bat', 'temp', 'pulse*', 'onewire*'],
      },
    ],
    radio: {
      rsrp: { from: '/CellStatus/RSRP', scale: tenth },
      rsrq: { from: '/CellStatus/RSRQ', scale: tenth },
      rssi: { from: '/CellStatus/RSSI', scale: tenth },
      sinr: { from: '/CellStatus/SNR', scale: tenth },
      arfcn: { from: '/CellStatus/EARFCN' },
      pci: { from: '/CellStatus/PCID' },
      tac: { from: `${cell}/TAC`, parse: 'hex' },
      cellId: { from: `${cell}/CID`, parse: 'hex' },
    },
  })),
};

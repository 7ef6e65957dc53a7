/** Electricity and heat. */
import type { Measure } from './definition.ts';

export const energy: Readonly<Record<string, Measure>> = {
  energy: {
    unit: 'kW.h',
    min: -1_000_000_000,
    max: 1_000_000_000,
    resolution: 0.001,
    names: { az: 'Enerji', ru: 'Энергия', en: 'Energy' },
  },
  heat_energy: {
    unit: 'kW.h',
    min: 0,
    max: 1_000_000_000,
    resolution: 0.001,
    names: { az: 'İstilik enerjisi', ru: 'Тепловая энергия', en: 'Heat energy' },
  },
  power: {
    unit: 'W',
    min: -100_000_000,
    max: 100_000_000,
    resolution: 0.01,
    names: { az: 'Güc', ru: 'Мощность', en: 'Power' },
  },
  apparent_power: {
    unit: 'V.A',
    min: 0,
    max: 100_000_000,
    resolution: 0.01,
    names: { az: 'Tam güc', ru: 'Полная мощность', en: 'Apparent power' },
  },
  power_factor: {
    unit: '',
    min: -1,
    max: 1,
    resolution: 0.001,
    names: { az: 'Güc əmsalı', ru: 'Коэффициент мощности', en: 'Power factor' },
  },
  voltage: {
    unit: 'V',
    min: -1_000,
    max: 50_000,
    resolution: 0.000001,
    names: { az: 'Gərginlik', ru: 'Напряжение', en: 'Voltage' },
  },
  current: {
    unit: 'A',
    min: -10_000,
    max: 10_000,
    resolution: 0.0001,
    names: { az: 'Cərəyan şiddəti', ru: 'Сила тока', en: 'Current' },
  },
  frequency: {
    unit: 'Hz',
    min: 0,
    max: 10_000_000_000,
    resolution: 0.001,
    names: { az: 'Tezlik', ru: 'Частота', en: 'Frequency' },
  },
};

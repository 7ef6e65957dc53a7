/** Water and gas in rivers, sewers, tanks and pipes. */
import type { Measure } from './definition.ts';

export const water: Readonly<Record<string, Measure>> = {
  water_level: {
    unit: 'm',
    min: -50,
    max: 200,
    resolution: 0.001,
    names: { az: 'Suyun səviyyəsi', ru: 'Уровень воды', en: 'Water level' },
  },
  water_flow: {
    unit: 'm3/h',
    min: 0,
    max: 1_000_000,
    resolution: 0.0001,
    names: { az: 'Suyun sərfi', ru: 'Расход воды', en: 'Water flow' },
  },
  water_volume: {
    unit: 'm3',
    min: 0,
    max: 1_000_000_000,
    resolution: 0.0001,
    names: { az: 'Suyun həcmi', ru: 'Объём воды', en: 'Water volume' },
  },
  water_pressure: {
    unit: 'kPa',
    min: 0,
    max: 4_000,
    resolution: 0.01,
    names: { az: 'Suyun təzyiqi', ru: 'Давление воды', en: 'Water pressure' },
  },
  water_temperature: {
    unit: 'Cel',
    min: -5,
    max: 110,
    resolution: 0.01,
    names: { az: 'Suyun temperaturu', ru: 'Температура воды', en: 'Water temperature' },
  },
  water_ph: {
    unit: '[pH]',
    min: 0,
    max: 14,
    resolution: 0.01,
    names: { az: 'Suyun pH göstəricisi', ru: 'Кислотность воды (pH)', en: 'Water pH' },
  },
  water_conductivity: {
    unit: 'uS/cm',
    min: 0,
    max: 100_000,
    resolution: 0.1,
    names: {
      az: 'Suyun elektrik keçiriciliyi',
      ru: 'Электропроводность воды',
      en: 'Water electrical conductivity',
    },
  },
  turbidity: {
    unit: '{NTU}',
    min: 0,
    max: 4_000,
    resolution: 0.01,
    names: { az: 'Suyun bulanıqlığı', ru: 'Мутность воды', en: 'Turbidity' },
  },
  dissolved_oxygen: {
    unit: 'mg/L',
    min: 0,
    max: 30,
    resolution: 0.01,
    names: { az: 'Suda həll olmuş oksigen', ru: 'Растворённый кислород', en: 'Dissolved oxygen' },
  },
  gas_volume: {
    unit: 'm3',
    min: 0,
    max: 1_000_000_000,
    resolution: 0.0001,
    names: { az: 'Qazın həcmi', ru: 'Объём газа', en: 'Gas volume' },
  },
  pressure: {
    unit: 'kPa',
    min: -101,
    max: 100_000,
    resolution: 0.01,
    names: { az: 'Təzyiq', ru: 'Давление', en: 'Pressure' },
  },
};

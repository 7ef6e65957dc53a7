/** Streets, waste, people and traffic: what a town counts. */
import type { Measure } from './definition.ts';

export const city: Readonly<Record<string, Measure>> = {
  fill_level: {
    unit: '%',
    min: 0,
    max: 100,
    resolution: 0.1,
    names: { az: 'Dolma səviyyəsi', ru: 'Уровень заполнения', en: 'Fill level' },
  },
  distance: {
    unit: 'm',
    min: 0,
    max: 100,
    resolution: 0.001,
    names: { az: 'Məsafə', ru: 'Расстояние', en: 'Distance' },
  },
  people_count: {
    unit: '',
    min: 0,
    max: 4_294_967_295,
    resolution: 1,
    names: { az: 'İnsanların sayı', ru: 'Количество людей', en: 'People count' },
  },
  bicycle_count: {
    unit: '',
    min: 0,
    max: 4_294_967_295,
    resolution: 1,
    names: { az: 'Velosipedlərin sayı', ru: 'Количество велосипедов', en: 'Bicycle count' },
  },
  vehicle_count: {
    unit: '',
    min: 0,
    max: 4_294_967_295,
    resolution: 1,
    names: {
      az: 'Nəqliyyat vasitələrinin sayı',
      ru: 'Количество транспортных средств',
      en: 'Vehicle count',
    },
  },
  parking_free_count: {
    unit: '',
    min: 0,
    max: 100_000,
    resolution: 1,
    names: {
      az: 'Boş parkinq yerlərinin sayı',
      ru: 'Количество свободных парковочных мест',
      en: 'Free parking spaces',
    },
  },
  motion_count: {
    unit: '',
    min: 0,
    max: 4_294_967_295,
    resolution: 1,
    names: {
      az: 'Aşkarlanmış hərəkətlərin sayı',
      ru: 'Количество обнаруженных движений',
      en: 'Motion count',
    },
  },
  traffic_speed: {
    unit: 'km/h',
    min: 0,
    max: 250,
    resolution: 0.1,
    names: {
      az: 'Nəqliyyat axınının sürəti',
      ru: 'Скорость транспортного потока',
      en: 'Traffic speed',
    },
  },
  weight: {
    unit: 'kg',
    min: 0,
    max: 1_000_000,
    resolution: 0.001,
    names: { az: 'Çəki', ru: 'Масса', en: 'Weight' },
  },
};

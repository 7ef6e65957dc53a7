/** States: quantities whose value is a word from a closed list. */
import type { State } from './definition.ts';

export const states: Readonly<Record<string, State>> = {
  water_leak: {
    whenTrue: 'leak',
    whenFalse: 'dry',
    states: {
      dry: {
        names: { az: 'sızma yoxdur', ru: 'протечки нет', en: 'no leak' },
        spellings: ['normal', 'no_leak', 'no leak'],
      },
      leak: {
        names: { az: 'sızma var', ru: 'протечка', en: 'leak' },
        spellings: ['leaking', 'wet', 'alarm'],
      },
    },
    names: { az: 'Su sızması', ru: 'Протечка воды', en: 'Water leak' },
  },
  parking_occupied: {
    whenTrue: 'occupied',
    whenFalse: 'free',
    states: {
      free: {
        names: { az: 'boşdur', ru: 'свободно', en: 'free' },
        spellings: ['vacant', 'empty', 'unoccupied'],
      },
      occupied: {
        names: { az: 'tutulub', ru: 'занято', en: 'occupied' },
        spellings: ['busy', 'taken'],
      },
    },
    names: { az: 'Parkinq yeri', ru: 'Парковочное место', en: 'Parking space' },
  },
  door: {
    whenTrue: 'open',
    whenFalse: 'closed',
    states: {
      open: { names: { az: 'açıqdır', ru: 'открыта', en: 'open' }, spellings: ['opened'] },
      closed: {
        names: { az: 'bağlıdır', ru: 'закрыта', en: 'closed' },
        spellings: ['close', 'shut'],
      },
    },
    names: { az: 'Qapı', ru: 'Дверь', en: 'Door' },
  },
  motion: {
    whenTrue: 'detected',
    whenFalse: 'clear',
    states: {
      clear: {
        names: { az: 'hərəkət yoxdur', ru: 'движения нет', en: 'no motion' },
        spellings: ['none', 'idle', 'normal'],
      },
      detected: {
        names: { az: 'hərəkət var', ru: 'обнаружено движение', en: 'motion detected' },
        spellings: ['motion', 'trigger', 'triggered'],
      },
    },
    names: { az: 'Hərəkət', ru: 'Движение', en: 'Motion' },
  },
  occupancy: {
    whenTrue: 'occupied',
    whenFalse: 'vacant',
    states: {
      vacant: {
        names: { az: 'boşdur', ru: 'свободно', en: 'vacant' },
        spellings: ['free', 'empty', 'unoccupied'],
      },
      pending: { names: { az: 'dəqiqləşdirilir', ru: 'уточняется', en: 'pending' } },
      occupied: { names: { az: 'tutulub', ru: 'занято', en: 'occupied' }, spellings: ['busy'] },
    },
    names: { az: 'Məkanın tutulması', ru: 'Занятость помещения', en: 'Occupancy' },
  },
  tamper: {
    whenTrue: 'tampered',
    whenFalse: 'secure',
    states: {
      secure: {
        names: { az: 'müdaxilə yoxdur', ru: 'вскрытия нет', en: 'secure' },
        spellings: ['normal', 'installed'],
      },
      tampered: {
        names: { az: 'müdaxilə olub', ru: 'корпус вскрыт', en: 'tampered' },
        spellings: ['tamper', 'uninstalled'],
      },
    },
    names: { az: 'Müdaxilə', ru: 'Вскрытие корпуса', en: 'Tamper' },
  },
  smoke: {
    whenTrue: 'smoke',
    whenFalse: 'clear',
    states: {
      clear: {
        names: { az: 'tüstü yoxdur', ru: 'дыма нет', en: 'no smoke' },
        spellings: ['normal'],
      },
      smoke: {
        names: { az: 'tüstü var', ru: 'обнаружен дым', en: 'smoke detected' },
        spellings: ['alarm'],
      },
    },
    names: { az: 'Tüstü', ru: 'Дым', en: 'Smoke' },
  },
  valve: {
    whenTrue: 'open',
    whenFalse: 'closed',
    states: {
      open: { names: { az: 'açıqdır', ru: 'открыт', en: 'open' }, spellings: ['opened'] },
      closed: { names: { az: 'bağlıdır', ru: 'закрыт', en: 'closed' }, spellings: ['close'] },
    },
    names: { az: 'Klapan', ru: 'Клапан', en: 'Valve' },
  },
  lamp: {
    whenTrue: 'on',
    whenFalse: 'off',
    states: {
      off: { names: { az: 'sönülüdür', ru: 'выключено', en: 'off' } },
      on: { names: { az: 'yanılıdır', ru: 'включено', en: 'on' } },
    },
    names: { az: 'Küçə işığı', ru: 'Уличное освещение', en: 'Street lamp' },
  },
  switch: {
    whenTrue: 'on',
    whenFalse: 'off',
    states: {
      off: { names: { az: 'söndürülüb', ru: 'выключен', en: 'off' } },
      on: { names: { az: 'qoşulub', ru: 'включён', en: 'on' } },
    },
    names: { az: 'Açar', ru: 'Переключатель', en: 'Switch' },
  },
  battery_status: {
    states: {
      critical: {
        names: { az: 'kritik', ru: 'критическое', en: 'critical' },
        spellings: ['ultra low'],
      },
      low: { names: { az: 'zəif', ru: 'низкое', en: 'low' } },
      ok: { names: { az: 'kafi', ru: 'удовлетворительное', en: 'sufficient' } },
      good: { names: { az: 'yaxşı', ru: 'хорошее', en: 'good' }, spellings: ['normal'] },
    },
    names: { az: 'Batareyanın vəziyyəti', ru: 'Состояние батареи', en: 'Battery status' },
  },
};

import { describe, expect, it } from '@jest/globals';
import { readNmea } from '../../../gateway/adapters/mapping/nmea.ts';

describe('An NMEA sentence', () => {
  it('gives the fix of GGA', () => {
    const text = '$GPGGA,141856.00,6326.27336,N,01028.08721,E,1,09,0.81,34.7,M,39.8,M,,*64\n';
    expect(readNmea(text)).toEqual({
      utc: '141856.00',
      fix_quality: 1,
      latitude: 63.4378893,
      longitude: 10.4681202,
      satellites: 9,
      hdop: 0.81,
      altitude: 34.7,
    });
  });

  it('gives no place without a fix', () => {
    expect(readNmea('$GNGGA,141856.00,,,,,0,00,99.9,,M,,M,,')).toEqual({
      utc: '141856.00',
      fix_quality: 0,
      satellites: 0,
      hdop: 99.9,
    });
    expect(readNmea('$GPRMC,081836,V,,,,,,,130998,,')).toEqual({ utc: '081836' });
  });

  it('gives the place, speed and course of RMC, south and west negative', () => {
    expect(readNmea('$GPRMC,081836,A,3751.65,S,14507.36,W,010.0,360.0,130998,011.3,E')).toEqual({
      utc: '081836',
      latitude: -37.8608333,
      longitude: -145.1226667,
      speed: 5.144,
      heading: 360,
    });
  });

  it.each([
    [
      'with a wrong checksum',
      '$GPGGA,141856.00,6326.27336,N,01028.08721,E,1,09,0.81,34.7,M,39.8,M,,*65',
    ],
    ['of another type', '$GPGSV,1,1,00*79'],
    ['that is none', '98.6'],
    ['without a beginning', 'GPGGA,141856.00'],
  ])('%s says nothing', (_, text) => {
    expect(readNmea(text)).toBeUndefined();
  });

  it('without numbers in it gives no place', () => {
    expect(readNmea('$GPRMC,x,A,n,S,e,W,s,c,d')).toEqual({});
  });
});

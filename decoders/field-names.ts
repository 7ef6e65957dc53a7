/**
 * What devices and network servers call the quantities, in snake_case: a name is the quantity it
 * stands under; `name=unit` says in which unit that name comes; `name:channel` names a channel too.
 * Names that two kinds of devices use for different things have no place here.
 */
const spellings: Readonly<Record<string, string>> = {
  air_temperature:
    'temperature temp temp_c_sht temperature_sensor ambient_temperature ambient_temp ' +
    'outdoor_temperature:outdoor indoor_temperature:indoor temp_sht tempc t_air temperatur temperature_sht temp_c ' +
    'temp_f=[degF] tem outside_temperature:outdoor room_temperature:indoor',
  relative_humidity:
    'humidity hum hum_sht humidity_sensor air_humidity rh relative_humidity_sensor rel_humidity ' +
    'ambient_humidity indoor_humidity:indoor outdoor_humidity:outdoor hum_rh relhumidity air_relative_humidity',
  dew_point: 'dewpoint dew_point_temperature',
  air_pressure:
    'barometer barometric_pressure atmospheric_pressure barometer_sensor air_press ' +
    'atm_pressure baro bar_pressure pressure press',
  co2: 'co2_ppm carbon_dioxide co2_concentration eco2 co2_level air_co2',
  co: 'carbon_monoxide',
  no: 'nitric_oxide',
  no2: 'nitrogen_dioxide',
  o3: 'ozone',
  so2: 'sulphur_dioxide sulfur_dioxide',
  h2s: 'hydrogen_sulfide hydrogen_sulphide',
  nh3: 'ammonia',
  voc_index: 'vocindex',
  tvoc: 'tvoc_ppb',
  pm1: 'pm1_0 pm01 pm_1 pm1p0 pm_1_0',
  pm2_5: 'pm25 pm_2_5 pm_25 pm2p5 pm2_5_concentration',
  pm4: 'pm4_0 pm_4 pm40 pm_4_0',
  pm10: 'pm_10 pm10_0 pm10p0 pm100 pm_10_0',
  air_quality_index: 'aqi',
  noise_level:
    'noise sound_level laeq leq sound noise_db sound_avg sound_average noise_level_avg la_eq spl',
  noise_level_max: 'noise_max lamax sound_peak la_max noise_peak lafmax sound_level_max',
  illuminance:
    'light lux luminosity illumination ill_lx ill_lux light_intensity illuminance_sensor ' +
    'light_level ambient_light illum light_lux air_light_intensity',
  wind_speed: 'windspeed wind_speed_avg wind_velocity average_wind_speed',
  wind_gust: 'gust wind_speed_max wind_gust_speed gust_speed',
  wind_direction: 'winddirection wind_dir wind_heading wind_direction_avg',
  rain_intensity: 'rain_rate rainfall_intensity precipitation_intensity rainrate',
  rain_cumulative:
    'rain rainfall rain_total rain_gauge precipitation rainfall_total cumulative_rain rain_amount',
  snow_depth: 'snow_height',
  uv_index: 'uv uvi uvindex',
  radiation: 'solar_radiation solar irradiance global_radiation solar_irradiance',
  surface_temperature:
    'road_temperature ir_external_temperature pavement_temperature object_temperature ' +
    'road_surface_temperature asphalt_temperature',
  probe_temperature:
    'external_temperature temp_c_ds tempc_ds ext_temp probe_temp external_temp ext_temperature ' +
    'temp_probe temp_c_tmp117 temperature_probe ds18b20 temperature_external temp_ext',
  soil_moisture: 'soil_humidity water_soil moisture soil_moist vwc soil_water_content soil_vwc',
  soil_temperature: 'temp_soil soil_temp',
  soil_conductivity:
    'soil_ec conduct_soil=uS/cm soil_electrical_conductivity ec_soil conductivity_soil',
  soil_ph: 'ph_soil soil_p_h',
  water_level: 'level waterlevel river_level water_depth sewer_level level_m',
  water_flow: 'flow flow_rate flowrate water_flow_rate',
  water_temperature: 'water_temp temp_water water_temperature_current',
  water_pressure: 'pipe_pressure',
  water_ph: 'ph p_h ph_water',
  water_conductivity: 'ec_water conductivity_water water_ec',
  dissolved_oxygen: 'do_concentration',
  turbidity: 'ntu',
  water_volume: 'water_consumption water_meter metering_water_total=L water_total total_water',
  gas_volume: 'gas_consumption gas_meter gas_total',
  energy:
    'active_energy total_energy energy_total power_consumption=W.h energy_consumption ' +
    'active_energy_import kwh=kW.h total_active_energy energy_kwh',
  power: 'active_power power_sensor total_power watt power_w instantaneous_power',
  power_factor: 'powerfactor pf cos_phi',
  voltage: 'volt voltage_sensor mains_voltage line_voltage',
  current: 'current_sensor amperage line_current',
  frequency: 'mains_frequency grid_frequency line_frequency',
  fill_level: 'fill filling_level fullness fill_percentage fill_level_percent filllevel',
  distance: 'distance_sensor ultrasonic_distance measured_distance',
  people_count:
    'people line_in_people:in people_in:in people_out:out persons pedestrian_count ' +
    'total_people pedestrians people_counter passengers visitors',
  bicycle_count: 'bicycles bikes bike_count cyclists cyclist_count',
  vehicle_count: 'vehicles cars car_count traffic_count vehicle_counter',
  parking_free_count: 'free_spaces free_parking_spaces available_spaces spots_free',
  motion_count: 'motion_counter pir_count motion_counts acc_motion:acceleration',
  traffic_speed: 'vehicle_speed average_vehicle_speed',
  weight: 'mass load_weight',
  battery_voltage:
    'bat_v battery_volt batt_v vbat vdd=mV bat_voltage batt_voltage battery_mv=mV v_bat vbatt ' +
    'battery_v batvolt bat_mv=mV battery_m_v=mV vcc',
  battery_level:
    'battery_percent battery_percentage battery_pct bat_level battery_soc soc bat_percent ' +
    'battery_capacity batt_level batterylevel battery_remaining battery bat batt',
  device_temperature:
    'board_temperature internal_temperature chip_temperature mcu_temperature ' +
    'ir_internal_temperature cpu_temperature device_temp',
  latitude: 'lat gps_latitude gps_lat position_latitude',
  longitude: 'lon lng long gps_longitude gps_lon gps_lng position_longitude',
  altitude: 'alt gps_altitude position_altitude gps_alt elevation',
  speed: 'gps_speed spd',
  direction: 'heading course hdg bearing',
  acceleration:
    'acceleration_x:x acceleration_y:y acceleration_z:z acc_x:x acc_y:y acc_z:z accel_x:x ' +
    'accel_y:y accel_z:z accelerometer_x=[g]:x accelerometer_y=[g]:y accelerometer_z=[g]:z ' +
    'x_acceleration:x y_acceleration:y z_acceleration:z',
  angular_velocity:
    'gyrometer_x:x gyrometer_y:y gyrometer_z:z gyro_x:x gyro_y:y gyro_z:z gyroscope_x:x ' +
    'gyroscope_y:y gyroscope_z:z',
  tilt: 'angle tilt_angle inclination tilt_x:x tilt_y:y tilt_z:z angle_x:x angle_y:y angle_z:z',
  vibration: 'vibration_velocity',
  digital_input: 'digital digital_in di din gpio',
  digital_output: 'digital_out dout',
  analog_input: 'analog analog_in ain analogue_input',
  analog_output: 'analog_out aout analogue_output',
  percentage: 'percentage_sensor',
  concentration: 'concentration_sensor',
  generic_sensor: 'generic',
  pulse_count: 'pulse pulses pulse_counter counter exit_count exti_count pulse_abs total_pulse',
  water_leak:
    'leak waterleak leakage water_leakage leakage_status leak_status flood water_leak_status',
  parking_occupied: 'parking parking_status parking_state is_occupied car_present spot_occupied',
  door: 'door_open door_status door_state contact_state magnet_status action_contact_state magnet',
  motion: 'motion_detected pir pir_status motion_status action_motion_detected movement',
  occupancy: 'presence presence_sensor occupied room_occupancy occupancy_status presence_detected',
  tamper: 'tamper_status tamper_alarm tampered',
  smoke: 'smoke_detected smoke_status smoke_alarm',
  valve: 'valve_status valve_state valve_open',
  lamp: 'lamp_status lamp_state street_light street_lamp',
  switch: 'switch_sensor switch_state switch_status',
};

export interface FieldName {
  readonly quantity: string;
  /** UCUM; absent where the name says nothing of it. */
  readonly unit?: string;
  readonly channel?: string;
}

/** By field name; a quantity's own name is added by the reader of this table. */
export const fieldNames: ReadonlyMap<string, FieldName> = new Map(
  Object.entries(spellings).flatMap(([quantity, words]) =>
    words.split(' ').map((word) => readSpelling(quantity, word)),
  ),
);

function readSpelling(quantity: string, word: string): [string, FieldName] {
  const [named = '', channel] = word.split(':');
  const [name = '', unit] = named.split('=');
  const withUnit = unit === undefined ? { quantity } : { quantity, unit };
  return [name, channel === undefined ? withUnit : { ...withUnit, channel }];
}

/** Units at the end of a name, as in `distance_mm`, with their UCUM codes. */
export const unitSuffixes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    Cel: 'c celsius deg_c',
    '[degF]': 'f fahrenheit deg_f',
    K: 'k kelvin',
    '%': 'percent percentage pct rh',
    Pa: 'pa',
    hPa: 'hpa h_pa mbar',
    kPa: 'kpa k_pa',
    bar: 'bar',
    V: 'v volt volts',
    mV: 'mv m_v millivolt millivolts',
    A: 'a amp amps',
    mA: 'ma m_a',
    W: 'w watt watts',
    kW: 'kw k_w',
    'kW.h': 'kwh k_wh k_w_h',
    'W.h': 'wh w_h',
    J: 'joule joules',
    m: 'm meter meters metre metres',
    cm: 'cm',
    mm: 'mm',
    m3: 'm3',
    L: 'l liter liters litre litres',
    'm3/h': 'm3h m3_h',
    'L/min': 'lpm l_min',
    'L/h': 'l_h',
    'm/s': 'ms mps m_s',
    'km/h': 'kmh kph km_h',
    'mm/h': 'mmh mm_h',
    '[ppm]': 'ppm',
    '[ppb]': 'ppb',
    'ug/m3': 'ugm3 ug_m3',
    'mg/m3': 'mgm3 mg_m3',
    'mg/L': 'mgl mg_l',
    'dB(A)': 'db dba',
    lx: 'lx lux',
    'W/m2': 'wm2 w_m2',
    'dS/m': 'ds_m',
    'uS/cm': 'us_cm',
    deg: 'deg degrees',
    Hz: 'hz',
    kg: 'kg',
    g: 'gram grams',
    '[g]': 'g',
  }).flatMap(([unit, words]) => words.split(' ').map((word): [string, string] => [word, unit])),
);

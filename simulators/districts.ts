/** Districts of Baku and public places in them: where the simulated devices stand. */
export interface District {
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
  /** 0 to 1: how much of the city's traffic and people it sees. */
  readonly busyness: number;
  readonly places: readonly string[];
}

/** Coordinates are the centre of the district's built-up part, to about a kilometre. */
export const districts: readonly District[] = [
  {
    name: 'Səbail',
    latitude: 40.3663,
    longitude: 49.8352,
    busyness: 1,
    places: ['İçərişəhər', 'Dənizkənarı Milli Park', 'Fəvvarələr meydanı', 'Bibiheybət'],
  },
  {
    name: 'Nəsimi',
    latitude: 40.386,
    longitude: 49.843,
    busyness: 0.95,
    places: ['28 May', 'Səməd Vurğun bağı', 'Nizami küçəsi', 'Mərkəzi Park'],
  },
  {
    name: 'Yasamal',
    latitude: 40.3835,
    longitude: 49.8085,
    busyness: 0.85,
    places: ['Elmlər Akademiyası', 'İnşaatçılar', 'Yasamal bazarı', 'Şərifzadə küçəsi'],
  },
  {
    name: 'Nərimanov',
    latitude: 40.404,
    longitude: 49.871,
    busyness: 0.85,
    places: ['Gənclik', 'Nərimanov parkı', 'Atatürk parkı', 'Təbriz küçəsi'],
  },
  {
    name: 'Xətai',
    latitude: 40.3795,
    longitude: 49.8905,
    busyness: 0.8,
    places: ['Ağ Şəhər', 'Həzi Aslanov', 'Xətai metrosu', 'Babək prospekti'],
  },
  {
    name: 'Nizami',
    latitude: 40.3935,
    longitude: 49.9425,
    busyness: 0.7,
    places: ['Qara Qarayev', 'Neftçilər', 'Xalqlar Dostluğu', 'Nizami parkı'],
  },
  {
    name: 'Binəqədi',
    latitude: 40.446,
    longitude: 49.826,
    busyness: 0.65,
    places: ['Azadlıq prospekti', 'Dərnəgül', 'Biləcəri', '7-ci mikrorayon'],
  },
  {
    name: 'Sabunçu',
    latitude: 40.4425,
    longitude: 49.948,
    busyness: 0.5,
    places: ['Bakıxanov', 'Ramana', 'Sabunçu vağzalı', 'Zabrat'],
  },
  {
    name: 'Suraxanı',
    latitude: 40.413,
    longitude: 50.0085,
    busyness: 0.45,
    places: ['Atəşgah', 'Qaraçuxur', 'Hövsan', 'Əmircan'],
  },
  {
    name: 'Xəzər',
    latitude: 40.469,
    longitude: 50.113,
    busyness: 0.35,
    places: ['Mərdəkan', 'Şüvəlan', 'Buzovna', 'Şağan'],
  },
  {
    name: 'Qaradağ',
    latitude: 40.3005,
    longitude: 49.6395,
    busyness: 0.3,
    places: ['Lökbatan', 'Sahil qəsəbəsi', 'Qobustan', 'Ələt'],
  },
];

/** The tables that objects are read into, before what came twice is left out. */

/** Of each table its rows, in the order of {@link TABLES}' columns. */
export interface Facts {
  parts: Row[];
  vitals: Row[];
  requests: Row[];
  errors: Row[];
  activities: Row[];
  attributes: Row[];
}
export type Row = (string | number | bigint | boolean | null)[];

/** Tables as they are read, before what came twice is left out. */
export const TABLES: Record<keyof Facts, string> = {
  parts:
    'trace INTEGER, object INTEGER, start DOUBLE, finish DOUBLE, spans INTEGER, name VARCHAR, session VARCHAR, person VARCHAR, route VARCHAR, service VARCHAR, release VARCHAR, browser VARCHAR, os VARCHAR, device VARCHAR, country VARCHAR, weight DOUBLE',
  vitals: 'trace INTEGER, id VARCHAR, name VARCHAR, value DOUBLE, moment DOUBLE, route VARCHAR',
  requests:
    'trace INTEGER, span UBIGINT, method VARCHAR, target VARCHAR, duration DOUBLE, status INTEGER, failed BOOLEAN',
  errors:
    'trace INTEGER, span UBIGINT, moment DOUBLE, type VARCHAR, message VARCHAR, frame VARCHAR, example VARCHAR',
  activities: 'trace INTEGER, span UBIGINT, kind VARCHAR, route VARCHAR, duration DOUBLE',
  attributes: 'trace INTEGER, key VARCHAR, value VARCHAR',
};

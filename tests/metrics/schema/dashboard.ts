// What a dashboard's JSON may hold, from the types that Grafana publishes. Its type of a panel leaves `options` open;
// here each kind of panel that the dashboards use is tied to the options of that kind.

import type { Dashboard, GraphFieldConfig, Panel, RowPanel } from '@grafana/schema';
import type { Options as BarGaugeOptions } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { Options as HeatmapOptions } from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as TimeSeriesOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** The same as T, with the texts that stand for enumerators in JSON. */
type Written<T> = T extends string
  ? `${T}`
  : T extends (infer Item)[]
    ? Written<Item>[]
    : T extends object
      ? { [Key in keyof T]: Written<T[Key]> }
      : T;

/** The package has no type for the queries of Prometheus. */
type PrometheusQuery = {
  datasource: Written<Panel['datasource']>;
  editorMode: 'code';
  expr: string;
  format: 'heatmap' | 'time_series';
  instant: boolean;
  legendFormat: string;
  range: boolean;
  refId: string;
};

type FieldConfig<Custom> = {
  defaults: Omit<Written<NonNullable<Panel['fieldConfig']>['defaults']>, 'custom'> & { custom?: Written<Custom> };
  overrides: [];
};

type Kind<Name extends string, Options, Custom = never> = Omit<
  Written<Panel>,
  'type' | 'options' | 'fieldConfig' | 'targets'
> & {
  type: Name;
  options: Written<Partial<Options>>;
  fieldConfig: FieldConfig<Custom>;
  targets: PrometheusQuery[];
};

type AnyPanel =
  | Written<RowPanel>
  | Kind<'bargauge', BarGaugeOptions>
  | Kind<'heatmap', HeatmapOptions>
  | Kind<'stat', StatOptions>
  | Kind<'timeseries', TimeSeriesOptions, GraphFieldConfig>;

export type PawlDashboard = Omit<Written<Partial<Dashboard>>, 'panels'> & { panels: AnyPanel[] };

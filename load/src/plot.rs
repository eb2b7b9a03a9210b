//! Pictures of a result: bars, one group for each step or component.

use std::path::{Path, PathBuf};

use plotters::{
    backend::SVGBackend,
    chart::{ChartBuilder, SeriesLabelPosition},
    drawing::IntoDrawingArea,
    element::{Rectangle, Text},
    style::{
        BLACK, Color as _, IntoFont as _, IntoTextStyle as _, RGBColor, WHITE,
        text_anchor::{HPos, Pos, VPos},
    },
};

use crate::{
    LoadError,
    result::{OrderOverload, StepFigures},
};

const SIZE: (u32, u32) = (840, 420);
const COLOURS: [RGBColor; 4] = [
    RGBColor(0x4c, 0x72, 0xb0),
    RGBColor(0xdd, 0x84, 0x52),
    RGBColor(0x55, 0xa8, 0x68),
    RGBColor(0x8c, 0x8c, 0x8c),
];
/// How much of a group's place its bars take.
const FILLED: f64 = 0.8;

/// Bars that are compared: each series has one value for each group.
struct Bars<'a> {
    title: &'a str,
    unit: &'a str,
    groups: Vec<String>,
    series: Vec<(String, Vec<f64>)>,
}

/// Draws latency, throughput and CPU as `STEM-….svg` into `directory`.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn draw(
    result: &OrderOverload,
    directory: &Path,
    stem: &str,
) -> Result<Vec<PathBuf>, LoadError> {
    let pictures = [
        ("latency", Some(latency(result))),
        ("throughput", Some(throughput(result))),
        ("cpu", cpu(result)),
    ];
    let mut drawn = Vec::new();
    for (name, bars) in pictures {
        let path = directory.join(format!("{stem}-{name}.svg"));
        if let Some(bars) = bars {
            bars.draw(&path).map_err(LoadError::Plot)?;
            drawn.push(path);
        }
    }
    Ok(drawn)
}

fn latency(result: &OrderOverload) -> Bars<'_> {
    let series = |name: &str, figure: fn(&StepFigures) -> f64| {
        (name.to_owned(), result.steps.iter().map(figure).collect())
    };
    Bars {
        title: "POST /orders, as the buyer waits",
        unit: "ms",
        groups: steps(result),
        series: vec![
            series("average", |it| it.avg_ms.median),
            series("p95", |it| it.p95_ms.median),
            series("p99", |it| it.p99_ms.median),
        ],
    }
}

fn throughput(result: &OrderOverload) -> Bars<'_> {
    let accepted = result.steps.iter().map(|it| it.accepted_per_second.median);
    Bars {
        title: "Orders accepted and committed",
        unit: "orders/s",
        groups: steps(result),
        series: vec![("accepted".to_owned(), accepted.collect())],
    }
}

/// Nothing was sampled of a shop that was already up.
fn cpu(result: &OrderOverload) -> Option<Bars<'_>> {
    let last = result.steps.last()?;
    let groups: Vec<String> = last.components.keys().cloned().collect();
    let used = |it: &StepFigures| {
        let percent = |name: &String| {
            it.components
                .get(name)
                .map_or(0.0, |c| c.cpu_percent.median)
        };
        (it.step.to_string(), groups.iter().map(percent).collect())
    };
    let series = result.steps.iter().map(used).collect();
    (!groups.is_empty()).then_some(Bars {
        title: "CPU under the load",
        unit: "% of a core",
        groups,
        series,
    })
}

fn steps(result: &OrderOverload) -> Vec<String> {
    result.steps.iter().map(|it| it.step.to_string()).collect()
}

impl Bars<'_> {
    fn draw(&self, path: &Path) -> Result<(), String> {
        self.try_draw(path).map_err(|error| error.to_string())
    }

    #[expect(clippy::cast_precision_loss, reason = "there are a handful of bars")]
    fn try_draw(&self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::new(path, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let len = u32::try_from(self.groups.len()).map(f64::from)?;
        let values = self.series.iter().flat_map(|(_, values)| values);
        let top = values.copied().fold(0.0, f64::max).max(f64::MIN_POSITIVE) * 1.15;
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, ("sans-serif", 20).into_font())
            .margin(12)
            .x_label_area_size(32)
            .y_label_area_size(70)
            .build_cartesian_2d(0.0..len, 0.0..top)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .y_desc(self.unit)
            .draw()?;
        let place = |group: usize, number: usize| {
            let width = FILLED / self.series.len() as f64;
            let left = group as f64 + (1.0 - FILLED) / 2.0 + number as f64 * width;
            (left, left + width)
        };
        for (number, (name, values)) in self.series.iter().enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            let bars = values.iter().enumerate().map(|(group, value)| {
                let (left, right) = place(group, number);
                Rectangle::new([(left, 0.0), (right, *value)], colour.filled())
            });
            let swatch =
                move |(x, y)| Rectangle::new([(x, y - 5), (x + 10, y + 5)], colour.filled());
            chart.draw_series(bars)?.label(name).legend(swatch);
        }
        let label = |pos| ("sans-serif", 13).into_text_style(&area).pos(pos);
        for (group, name) in self.groups.iter().enumerate() {
            let at = chart.backend_coord(&(group as f64 + 0.5, 0.0));
            let below = label(Pos::new(HPos::Center, VPos::Top));
            area.draw(&Text::new(name.clone(), (at.0, at.1 + 10), below))?;
            for (number, (_, values)) in self.series.iter().enumerate() {
                let (left, right) = place(group, number);
                let value = values[group];
                let at = chart.backend_coord(&(f64::midpoint(left, right), value));
                let above = label(Pos::new(HPos::Center, VPos::Bottom));
                area.draw(&Text::new(short(value), (at.0, at.1 - 3), above))?;
            }
        }
        if self.series.len() > 1 {
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperRight)
                .border_style(BLACK.mix(0.2))
                .background_style(WHITE.filled())
                .draw()?;
        }
        area.present()?;
        Ok(())
    }
}

/// Three figures are enough for a picture; the file has them all.
fn short(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

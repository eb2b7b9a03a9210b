//! What a person reads while a run is under way, and at its end.

use local_shop::machine::Machine;
use service_kit::out;

use crate::{
    Spread,
    order_overload::{Step, Written},
    result::{OrderOverload, Ratio, Run, StepFigures},
};

/// The machine, before anything is measured on it; what disturbs is said aloud.
pub(crate) fn machine(machine: &Machine) {
    let disk = &machine.disk;
    out::line(format!(
        "{} cores of {}, load average {:.2}, {:.0} fdatasync/s (median {:.2} ms)",
        machine.cpu_count, machine.cpu_model, machine.load_average[0], disk.per_second, disk.p50_ms
    ));
    for busy in &machine.busy {
        let (name, percent) = (&busy.name, busy.cpu_percent);
        out::line(format!("not quiet: {name} uses {percent:.0} % of a core"));
    }
}

/// One step, as soon as it is measured.
pub(crate) fn run(run: &Run) {
    let hold = &run.hold;
    out::line(format!(
        "round {} {:7} p95 {:8.2} ms  avg {:8.2} ms  {:8.0} orders/s  errors {:.3} %",
        run.round,
        run.step.to_string(),
        hold.p95_ms,
        hold.avg_ms,
        hold.accepted_per_second,
        hold.error_rate * 100.0
    ));
    if !run.is_within_thresholds {
        out::line("  a threshold of k6/order-overload.js is crossed");
    }
}

/// All steps side by side, their ratios, and where it is written down.
pub(crate) fn result(written: &Written) {
    let result = &written.result;
    out::line("");
    let heads: Vec<String> = result.steps.iter().map(|it| it.step.to_string()).collect();
    line("", &heads);
    row(result, "p95 ms", |it| Some(it.p95_ms));
    row(result, "p99 ms", |it| Some(it.p99_ms));
    row(result, "average ms", |it| Some(it.avg_ms));
    row(result, "accepted orders/s", |it| {
        Some(it.accepted_per_second)
    });
    row(result, "error rate", |it| Some(it.error_rate));
    row(result, "ledger ms/decrement", |it| {
        it.ledger_ms_per_decrement
    });
    row(result, "gate us/decrement", |it| it.gate_us_per_decrement);
    for name in component_names(result) {
        let component = |it: &StepFigures| it.components.get(&name).cloned();
        row(result, &format!("{name} CPU %"), |it| {
            Some(component(it)?.cpu_percent)
        });
        row(result, &format!("{name} CPU us/order"), |it| {
            Some(component(it)?.cpu_us_per_order)
        });
        let mib = |bytes: Spread| Spread {
            median: bytes.median / MIB,
            min: bytes.min / MIB,
            max: bytes.max / MIB,
        };
        row(result, &format!("{name} RSS peak MiB"), |it| {
            Some(mib(component(it)?.rss_peak_bytes))
        });
    }
    for ratio in &result.ratios {
        out::line("");
        compared(ratio);
    }
    out::line("");
    out::line(format!("written: {}", written.json.display()));
    for picture in &written.pictures {
        out::line(format!("         {}", picture.display()));
    }
}

const MIB: f64 = 1024.0 * 1024.0;

fn component_names(result: &OrderOverload) -> Vec<String> {
    let after = result.step(Step::After);
    after.map_or_else(Vec::new, |it| it.components.keys().cloned().collect())
}

fn row(result: &OrderOverload, name: &str, figure: impl Fn(&StepFigures) -> Option<Spread>) {
    let cells = result
        .steps
        .iter()
        .map(|it| figure(it).map_or_else(|| "-".to_owned(), shown));
    line(name, &cells.collect::<Vec<_>>());
}

fn line(name: &str, cells: &[String]) {
    let cells: String = cells.iter().map(|cell| format!("{cell:>26}")).collect();
    out::line(format!("{name:28}{cells}"));
}

/// The median, and between which figures it lies if there are several.
fn shown(spread: Spread) -> String {
    let Spread { median, min, max } = spread;
    match min.total_cmp(&max).is_lt() {
        true => format!("{median:.2} ({min:.2}–{max:.2})"),
        false => format!("{median:.2}"),
    }
}

fn compared(ratio: &Ratio) {
    let times = |name: &str, spread: Spread| out::line(format!("  {name:26}{:>26}", shown(spread)));
    out::line(format!("{} → {}, above 1 is better:", ratio.from, ratio.to));
    times("p95", ratio.p95);
    times("average", ratio.avg);
    times("throughput", ratio.accepted_per_second);
    times("error rate, less by", ratio.error_rate_less);
    if let Some(less) = ratio.ledger_per_decrement {
        times("ledger time/decrement", less);
    }
    if let Some(less) = ratio.ledger_to_gate {
        times("ledger → gate time", less);
    }
    for (name, less) in &ratio.cpu_per_order {
        times(&format!("{name} CPU/order"), *less);
    }
}

//! Where and how something was measured, as a list of facts.

use std::collections::BTreeMap;

use local_shop::machine::Machine;

use super::{
    side::Taken,
    table::{figure, megabytes, table},
};

/// Of results of k6.
pub(super) fn of_load(taken: &Taken, file: &str) -> String {
    let mut rows = vec![
        fact("명령", &format!("`{}`", taken.command)),
        fact("결과 파일", &format!("`{file}`")),
        fact("측정 시각", &taken.taken_at.to_string()),
        fact(
            "반복",
            &format!("{}회 (값은 중앙값, 괄호는 최소 – 최대)", taken.rounds),
        ),
    ];
    rows.extend(of_machine(&taken.machine));
    rows.push(fact("k6", &taken.k6_version));
    rows.push(fact(
        "Postgres 설정",
        &format!(
            "fsync와 synchronous_commit 켬, {}",
            taken.postgres_settings.join(", ")
        ),
    ));
    table(&["환경", ""], rows)
}

/// Of any results.
#[expect(clippy::cast_precision_loss, reason = "memory of a machine fits")]
pub(super) fn of_machine(machine: &Machine) -> Vec<[String; 2]> {
    let (versions, disk) = (&machine.versions, &machine.disk);
    let dirty = if machine.revision.is_dirty {
        " + 커밋하지 않은 변경"
    } else {
        ""
    };
    let busy = busy(machine);
    vec![
        fact(
            "커밋",
            &format!(
                "`{}`{dirty}",
                machine.revision.commit.get(..7).unwrap_or_default()
            ),
        ),
        fact(
            "기계",
            &format!(
                "{}, 코어 {}개, 메모리 {}, Linux {}",
                machine.cpu_model,
                machine.cpu_count,
                megabytes(machine.memory_bytes as f64),
                machine.kernel
            ),
        ),
        fact(
            "디스크",
            &format!(
                "fdatasync 초당 {}회 (중앙값 {} ms, p99 {} ms)",
                figure(disk.per_second),
                figure(disk.p50_ms),
                figure(disk.p99_ms)
            ),
        ),
        fact(
            "측정 전 부하",
            &format!("load average {:.2}", machine.load_average[0]),
        ),
        fact("함께 돌던 프로그램", &busy),
        fact(
            "버전",
            &[
                &versions.rustc,
                &versions.postgres,
                &versions.redis,
                &versions.nginx,
            ]
            .map(|it| first_line(it))
            .join("; "),
        ),
    ]
}

/// Programs that were busy before, those of one name together.
fn busy(machine: &Machine) -> String {
    let mut by_name: BTreeMap<&str, f64> = BTreeMap::new();
    for process in &machine.busy {
        *by_name.entry(&process.name).or_default() += process.cpu_percent;
    }
    let words: Vec<String> = by_name
        .iter()
        .map(|(name, cpu)| format!("{name} {cpu:.0}%"))
        .collect();
    match words.is_empty() {
        true => "없음".to_owned(),
        false => words.join(", "),
    }
}

pub(super) fn fact(name: &str, value: &str) -> [String; 2] {
    [name.to_owned(), value.to_owned()]
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

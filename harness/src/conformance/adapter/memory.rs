//! Memory of a group of processes, as far as the system tells.

use std::fs;

/// Resident MiB of all processes whose group this is; 0 where the system has no `/proc`.
pub(super) fn resident_mib(group: u32) -> u64 {
    let Ok(processes) = fs::read_dir("/proc") else { return 0 };
    let kib: u64 = processes
        .filter_map(Result::ok)
        .filter(|entry| {
            entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit)
        })
        .filter_map(|entry| {
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in parentheses may hold anything; behind it: state, parent, group.
            let (_, behind) = stat.rsplit_once(')')?;
            let its_group: u32 = behind.split_whitespace().nth(2)?.parse().ok()?;
            if its_group != group {
                return None;
            }
            let status = fs::read_to_string(entry.path().join("status")).ok()?;
            let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
            resident.split_whitespace().next()?.parse::<u64>().ok()
        })
        .sum();
    kib / 1_024
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn memory_of_a_group_is_seen() {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let group = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(2).unwrap();
        let before = resident_mib(group.parse().unwrap());
        assert!(before > 0);
        let held = vec![1u8; 64 << 20];
        let after = resident_mib(group.parse().unwrap());
        assert!(after >= before + 32, "{before} MiB, then {after} with {} bytes more", held.len());
    }

    #[test]
    fn a_group_without_processes_holds_nothing() {
        assert_eq!(resident_mib(u32::MAX), 0);
    }
}

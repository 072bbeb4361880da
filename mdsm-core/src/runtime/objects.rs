//! Where an institution keeps files, by its settings. [DDB-2]

use std::path::{Path, PathBuf};

use super::settings::ObjectSettings;
use crate::objects::{Bounds, Objects, ObjectsError, Place};

/// Files as the settings say; without any, in `folder` in one copy, for a demonstration on one machine.
pub fn objects_of(settings: &ObjectSettings, folder: &Path) -> Result<Objects, ObjectsError> {
    let bounds = Bounds::default();
    if let Some(s3) = &settings.s3 {
        return in_cluster(s3, bounds);
    }
    if settings.directories.is_empty() {
        return Ok(Objects::demonstration(Place::directory(folder, bounds)?, bounds));
    }
    let copies = settings.copies.map_or(settings.directories.len(), usize::from);
    Objects::in_directories(&settings.directories, copies, bounds)
}

/// Directories of these files that are not there, and would be made by whoever opens them.
#[must_use]
pub fn missing_of(settings: &ObjectSettings, folder: &Path) -> Vec<PathBuf> {
    let mut directories = settings.directories.clone();
    if directories.is_empty() && settings.s3.is_none() {
        directories.push(folder.to_path_buf());
    }
    directories.retain(|directory| !directory.is_dir());
    directories
}

#[cfg(feature = "s3")]
fn in_cluster(
    settings: &super::settings::S3Settings,
    bounds: Bounds,
) -> Result<Objects, ObjectsError> {
    let copies = usize::from(settings.copies);
    let cluster = crate::objects::Cluster {
        endpoint: settings.endpoint.clone(),
        bucket: settings.bucket.clone(),
        copies,
    };
    Objects::new(vec![cluster.place(bounds)?], copies, bounds)
}

#[cfg(not(feature = "s3"))]
fn in_cluster(settings: &super::settings::S3Settings, _: Bounds) -> Result<Objects, ObjectsError> {
    let why = "this program was built without the feature s3".to_owned();
    Err(ObjectsError::Cluster { endpoint: settings.endpoint.clone(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ddb_2_4_settings_say_how_many_copies_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let mut settings = ObjectSettings::default();
        let copies =
            |settings: &ObjectSettings| objects_of(settings, &home).map(|objects| objects.copies());
        assert_eq!(copies(&settings), Ok(1), "a demonstration");
        settings.directories = (0..3).map(|it| folder.path().join(it.to_string())).collect();
        assert_eq!(copies(&settings), Ok(3));
        settings.copies = Some(2);
        assert_eq!(copies(&settings), Ok(2));
        for wrong in [0, 1, 4] {
            settings.copies = Some(wrong);
            let expected = ObjectsError::Configured { copies: usize::from(wrong), places: 3 };
            assert_eq!(copies(&settings), Err(expected));
        }
        settings.copies = None;
        settings.directories.truncate(1);
        assert_eq!(copies(&settings), Err(ObjectsError::Configured { copies: 1, places: 1 }));
    }
}

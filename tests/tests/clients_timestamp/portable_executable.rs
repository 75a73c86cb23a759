//! The smallest Windows program that can be signed: headers and one section.

/// A PE32+ file for x86-64 that returns at once.
pub(crate) fn smallest() -> Vec<u8> {
    const PE_OFFSET: u32 = 0x40;
    const FILE_ALIGNMENT: u32 = 0x200;
    const SECTION_ADDRESS: u32 = 0x1000;
    let mut file = Vec::new();
    let put = |file: &mut Vec<u8>, value: u64, octets: usize| {
        file.extend_from_slice(&value.to_le_bytes()[..octets]);
    };
    file.extend(b"MZ");
    file.resize(0x3C, 0);
    put(&mut file, PE_OFFSET.into(), 4);
    file.extend(b"PE\0\0");
    // COFF: x86-64, one section, no time, no symbols, optional header of 240 octets, executable.
    for (value, octets) in [(0x8664, 2), (1, 2), (0, 4), (0, 4), (0, 4), (240, 2), (0x0022, 2)] {
        put(&mut file, value, octets);
    }
    let fields: [(u64, usize); 29] = [
        (0x20B, 2),                  // PE32+
        (0, 2),                      // linker
        (FILE_ALIGNMENT.into(), 4),  // size of code
        (0, 4),                      // initialised data
        (0, 4),                      // uninitialised data
        (SECTION_ADDRESS.into(), 4), // entry point
        (SECTION_ADDRESS.into(), 4), // base of code
        (0x1_4000_0000, 8),          // image base
        (0x1000, 4),                 // section alignment
        (FILE_ALIGNMENT.into(), 4),  // file alignment
        (6, 2),                      // operating system
        (0, 2),
        (0, 2), // image version
        (0, 2),
        (6, 2), // subsystem version
        (0, 2),
        (0, 4),                     // reserved
        (0x2000, 4),                // size of image
        (FILE_ALIGNMENT.into(), 4), // size of headers
        (0, 4),                     // checksum
        (3, 2),                     // console
        (0, 2),                     // characteristics
        (0x10_0000, 8),             // stack
        (0x1000, 8),
        (0x10_0000, 8), // heap
        (0x1000, 8),
        (0, 4),  // loader flags
        (16, 4), // data directories
        (0, 0),
    ];
    for (value, octets) in fields {
        put(&mut file, value, octets);
    }
    file.resize(file.len() + 16 * 8, 0);
    file.extend(b".text\0\0\0");
    // Virtual size and address, raw size and offset, no relocations, code that may run.
    for value in [1, SECTION_ADDRESS, FILE_ALIGNMENT, FILE_ALIGNMENT, 0, 0, 0, 0x6000_0020] {
        put(&mut file, value.into(), 4);
    }
    file.resize(FILE_ALIGNMENT as usize, 0);
    file.push(0xC3); // ret
    file.resize(2 * FILE_ALIGNMENT as usize, 0);
    file
}

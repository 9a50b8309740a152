BEGIN TRANSACTION;
CREATE TABLE cases (
	position INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	patient VARCHAR NOT NULL, 
	split VARCHAR NOT NULL, 
	image VARCHAR NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	description VARCHAR NOT NULL, 
	imported_at VARCHAR NOT NULL, 
	PRIMARY KEY (position), 
	CONSTRAINT split_is_known CHECK (split IN ('training', 'gate', 'report')), 
	UNIQUE (id)
);
INSERT INTO "cases" VALUES(1,'case_0','patient_0','training','images/18/188b1324e134b4b0b2159d2fd2dda80474b2904d92f07d0b7922e55454153288.png',32,32,'Unilateral pulmonary infection, one infected area, lower left lung.','2026-11-21T22:10:26.564594+00:00');
INSERT INTO "cases" VALUES(2,'case_1','patient_1','training','images/ee/ee5ae896a64df4891de19eb249588eaa259dfa19ac356e3477062ee4f38925b1.png',32,32,'Unilateral pulmonary infection, one infected area, upper right lung.','2026-11-21T22:10:26.565961+00:00');
INSERT INTO "cases" VALUES(3,'case_2','patient_2','training','images/fd/fde4c4059803606b178d30b145b83f75ac02d8105af4c79fe5310a3ad072ca38.png',32,32,'Unilateral pulmonary infection, one infected area, lower left lung.','2026-11-21T22:10:26.567189+00:00');
INSERT INTO "cases" VALUES(4,'case_3','patient_3','training','images/c2/c258ce2abc3c24116037b0698bc2555f99cec24658036b4ee0182ac26bed0766.png',32,32,'Unilateral pulmonary infection, one infected area, upper right lung.','2026-11-21T22:10:26.568349+00:00');
INSERT INTO "cases" VALUES(5,'case_4','patient_4','training','images/bd/bd3ef861e735273e01cbde2050562fd271f702bfdcca2afdb3f4175f0de51f6b.png',32,32,'Unilateral pulmonary infection, one infected area, lower left lung.','2026-11-21T22:10:26.569066+00:00');
INSERT INTO "cases" VALUES(6,'case_5','patient_5','gate','images/6a/6ab9078fb394b316427088dd165fef93850f9fa2b4e4bf0cd422be525f1b360d.png',32,32,'Unilateral pulmonary infection, one infected area, upper right lung.','2026-11-21T22:10:26.569640+00:00');
CREATE TABLE drafts (
	case_id VARCHAR NOT NULL, 
	reader VARCHAR NOT NULL, 
	mask_png BLOB NOT NULL, 
	description VARCHAR NOT NULL, 
	strokes INTEGER NOT NULL, 
	updated_at VARCHAR NOT NULL, 
	PRIMARY KEY (case_id, reader), 
	FOREIGN KEY(case_id) REFERENCES cases (id), 
	FOREIGN KEY(reader) REFERENCES readers (id)
);
INSERT INTO "drafts" VALUES('case_3','Ada',X'89504E470D0A1A0A0000000D4948445200000020000000200800000000561125280000002549444154785E63601805A3218008014610F33F940FE6A0012642A1353C1410F2E54891070026EE0110DD1D271A0000000049454E44AE426082','Half done',2,'2026-11-21T22:10:26.582171+00:00');
CREATE TABLE hidden_references (
	case_id VARCHAR NOT NULL, 
	mask VARCHAR NOT NULL, 
	PRIMARY KEY (case_id), 
	FOREIGN KEY(case_id) REFERENCES cases (id)
);
INSERT INTO "hidden_references" VALUES('case_1','hidden/17/17a645fbe73fa1624c20fda976b97fc3a77b8fe851cc18a8fd41baafbeff5554.png');
INSERT INTO "hidden_references" VALUES('case_2','hidden/08/0830aece7156be5f6cf05a4f14f4aad3ba7d08bbadc3deae317d274118626799.png');
INSERT INTO "hidden_references" VALUES('case_3','hidden/17/17a645fbe73fa1624c20fda976b97fc3a77b8fe851cc18a8fd41baafbeff5554.png');
CREATE TABLE models (
	id VARCHAR NOT NULL, 
	run_id INTEGER NOT NULL, 
	folder VARCHAR NOT NULL, 
	scores JSON NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
CREATE TABLE promotions (
	id INTEGER NOT NULL, 
	model_id VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(model_id) REFERENCES models (id)
);
CREATE TABLE proposals (
	case_id VARCHAR NOT NULL, 
	model_id VARCHAR NOT NULL, 
	probability VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	entropy FLOAT NOT NULL, 
	foreground FLOAT NOT NULL, 
	PRIMARY KEY (case_id, model_id), 
	FOREIGN KEY(case_id) REFERENCES cases (id), 
	FOREIGN KEY(model_id) REFERENCES models (id)
);
CREATE TABLE readers (
	id VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "readers" VALUES('dataset','2026-11-21T22:10:26.571064+00:00');
INSERT INTO "readers" VALUES('Ada','2026-11-21T22:10:26.576311+00:00');
INSERT INTO "readers" VALUES('Bo','2026-11-21T22:10:26.581003+00:00');
CREATE TABLE revisions (
	id INTEGER NOT NULL, 
	case_id VARCHAR NOT NULL, 
	mask VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	reader VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	model_id VARCHAR, 
	pixels_changed INTEGER, 
	dice_to_proposal FLOAT, 
	active_seconds FLOAT, 
	strokes INTEGER, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT source_is_known CHECK (source IN ('teacher', 'edited', 'drawn', 'dataset')), 
	FOREIGN KEY(case_id) REFERENCES cases (id), 
	FOREIGN KEY(reader) REFERENCES readers (id)
);
INSERT INTO "revisions" VALUES(1,'case_0','masks/08/0830aece7156be5f6cf05a4f14f4aad3ba7d08bbadc3deae317d274118626799.png','Unilateral pulmonary infection, one infected area, lower left lung.','dataset','dataset','imported',NULL,NULL,NULL,NULL,NULL,'2026-11-21T22:10:26.570260+00:00');
INSERT INTO "revisions" VALUES(2,'case_5','masks/17/17a645fbe73fa1624c20fda976b97fc3a77b8fe851cc18a8fd41baafbeff5554.png','Unilateral pulmonary infection, one infected area, upper right lung.','dataset','dataset','imported',NULL,NULL,NULL,NULL,NULL,'2026-11-21T22:10:26.570260+00:00');
INSERT INTO "revisions" VALUES(3,'case_2','masks/08/0830aece7156be5f6cf05a4f14f4aad3ba7d08bbadc3deae317d274118626799.png','Unilateral pulmonary infection, one infected area, lower left lung.','Ada','drawn','redrawn',NULL,NULL,NULL,12.5,3,'2026-11-21T22:10:26.578126+00:00');
INSERT INTO "revisions" VALUES(4,'case_2','masks/17/17a645fbe73fa1624c20fda976b97fc3a77b8fe851cc18a8fd41baafbeff5554.png','Unilateral pulmonary infection, one infected area, upper right lung.','Bo','edited','edited','0123456789abcdef',5,9.3714285714285716633e-01,3.25,1,'2026-11-21T22:10:26.580856+00:00');
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	folder VARCHAR NOT NULL, 
	labeled INTEGER NOT NULL, 
	unlabeled INTEGER NOT NULL, 
	created_at VARCHAR NOT NULL, 
	outcome VARCHAR, 
	reason VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (folder)
);
CREATE TABLE settings (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "settings" VALUES('schema_version','1');
INSERT INTO "settings" VALUES('laterality','image');
INSERT INTO "settings" VALUES('created_at','2026-11-21T22:10:26.554503+00:00');
CREATE TABLE skips (
	id INTEGER NOT NULL, 
	case_id VARCHAR NOT NULL, 
	reader VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(case_id) REFERENCES cases (id), 
	FOREIGN KEY(reader) REFERENCES readers (id)
);
INSERT INTO "skips" VALUES(1,'case_1','Ada','rotated','2026-11-21T22:10:26.576153+00:00');
CREATE INDEX ix_cases_split ON cases (split);
CREATE INDEX ix_cases_patient ON cases (patient);
CREATE INDEX ix_revisions_case_id ON revisions (case_id);
CREATE INDEX ix_skips_case_id ON skips (case_id);
COMMIT;
